/**
 * ZITADEL's second user service. The published package is of a version before users could be looked for by metadata and got metadata with their creation at the
 * top, and it lacks some addresses: fields and addresses of the current version are added to its descriptors here (contracts/zitadel.md, section 4).
 */
import { clone, create, createFileRegistry, type DescFile, type DescService, type MessageInitShape, setExtension } from '@bufbuild/protobuf'
import {
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt'
import { http } from '@zitadel/proto/google/api/annotations_pb.js'
import { HttpRuleSchema } from '@zitadel/proto/google/api/http_pb.js'
import { type FieldRules, FieldRulesSchema, rules } from '@zitadel/proto/validate/validate_pb.js'
import { file_zitadel_metadata_v2_metadata } from '@zitadel/proto/zitadel/metadata/v2/metadata_pb.js'
import {
  type CreateUserRequest,
  file_zitadel_user_v2_user_service,
  UserService as Published,
} from '@zitadel/proto/zitadel/user/v2/user_service_pb.js'

/** Entries of metadata of a new user: at the top, where they are now, and with the person, where they were. */
export const metadataOfNew = ({ userType, ...request }: CreateUserRequest) => [
  ...((request as unknown as { metadata?: { key: string; value: Uint8Array }[] }).metadata ?? []),
  ...(userType.case === 'human' ? userType.value.metadata : []),
]

const metadataFile = '.zitadel.metadata.v2'

const post = (value: string) => ({ pattern: { case: 'post', value }, body: '*' }) as const
const remove = (value: string) => ({ pattern: { case: 'delete', value } }) as const

/** Addresses for REST of RPCs that were published without one. */
const addresses: Readonly<Record<string, MessageInitShape<typeof HttpRuleSchema>>> = {
  CreateUser: post('/v2/users/new'),
  UpdateUser: { pattern: { case: 'patch', value: '/v2/users/{user_id}' }, body: '*' },
  AddSecret: post('/v2/users/{user_id}/secret'),
  RemoveSecret: remove('/v2/users/{user_id}/secret'),
  AddKey: post('/v2/users/{user_id}/keys'),
  RemoveKey: remove('/v2/users/{user_id}/keys/{key_id}'),
  ListKeys: post('/v2/users/keys/search'),
  AddPersonalAccessToken: post('/v2/users/{user_id}/pats'),
  RemovePersonalAccessToken: remove('/v2/users/{user_id}/pats/{token_id}'),
  ListPersonalAccessTokens: post('/v2/users/pats/search'),
}

const additions: Readonly<Record<string, (file: FileDescriptorProto) => void>> = {
  'zitadel/filter/v2/filter': (file) => {
    const values = ['BYTE_FILTER_METHOD_EQUALS', 'BYTE_FILTER_METHOD_NOT_EQUALS'].map((name, number) => ({ name, number }))
    file.enumType.push(create(EnumDescriptorProtoSchema, { name: 'ByteFilterMethod', value: values }))
  },
  'zitadel/metadata/v2/metadata': (file) => {
    const value = field({ name: 'value', number: 1, type: Type.BYTES }, { case: 'bytes', value: { maxLen: 200n } })
    const typeName = '.zitadel.filter.v2.ByteFilterMethod'
    const method = field({ name: 'method', number: 2, type: Type.ENUM, typeName }, { case: 'enum', value: { definedOnly: true } })
    file.messageType.push(create(DescriptorProtoSchema, { name: 'MetadataValueFilter', field: [value, method] }))
  },
  'zitadel/user/v2/query': (file) => {
    file.dependency.push('zitadel/metadata/v2/metadata.proto')
    const query = { type: Type.MESSAGE, oneofIndex: 0 }
    messageOf(file, 'SearchQuery').field.push(
      field({ ...query, name: 'metadata_key_filter', number: 17, typeName: `${metadataFile}.MetadataKeyFilter` }),
      field({ ...query, name: 'metadata_value_filter', number: 18, typeName: `${metadataFile}.MetadataValueFilter` }),
    )
  },
  'zitadel/user/v2/user_service': (file) => {
    const typeName = '.zitadel.user.v2.Metadata'
    messageOf(file, 'CreateUserRequest').field.push(
      field({ name: 'metadata', number: 6, type: Type.MESSAGE, label: Label.REPEATED, typeName }),
    )
    for (const rpc of file.service.flatMap(({ method }) => method)) {
      const address = addresses[rpc.name]
      if (address && rpc.options) setExtension(rpc.options, http, create(HttpRuleSchema, address))
    }
  },
}

function field(
  init: MessageInitShape<typeof FieldDescriptorProtoSchema>,
  rule?: MessageInitShape<typeof FieldRulesSchema>['type'],
): FieldDescriptorProto {
  const made = create(FieldDescriptorProtoSchema, { label: Label.OPTIONAL, jsonName: camel(init.name ?? ''), ...init })
  if (!rule) return made
  made.options = create(FieldOptionsSchema)
  setExtension(made.options, rules, create(FieldRulesSchema, { type: rule }) as FieldRules)
  return made
}

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

function messageOf(file: FileDescriptorProto, name: string) {
  const found = file.messageType.find((each) => each.name === name)
  if (!found) throw new TypeError(`${file.name} has no ${name}`)
  return found
}

function extended(): DescService {
  const files = new Map<string, FileDescriptorProto>()
  // A file comes behind what it builds on, and queries build on metadata from now on.
  function take({ name, proto, dependencies }: DescFile): void {
    if (files.has(name)) return
    dependencies.forEach(take)
    if (name === 'zitadel/user/v2/query') take(file_zitadel_metadata_v2_metadata)
    const copy = clone(FileDescriptorProtoSchema, proto)
    additions[name]?.(copy)
    files.set(name, copy)
  }
  take(file_zitadel_user_v2_user_service)
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [...files.values()] }))
  const service = registry.getService(Published.typeName)
  if (!service) throw new TypeError('the extended user service is not there')
  return service
}

/** The service with the added fields. Its types are those of the published one. */
export const UserService = extended() as typeof Published
