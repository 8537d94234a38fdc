/**
 * What every gRPC server offers: health (grpc.health.v1) and reflection (grpc.reflection.v1), by which tools like `grpcurl` find out what is served. Their descriptors stand here,
 * because no package publishes them for this library.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { createFileRegistry, type DescFile, type DescService, fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect'
import { servedServices } from './handlers.ts'
import { publishedServices } from './published.ts'

export interface GrpcServicesNeeds {
  /** Whether requests can be served. @throws when not */
  readonly ping: () => Promise<void>
}

type Field = readonly [name: string, number: number, type: string, more?: Readonly<Record<string, JsonValue>>]

const repeated = { label: 'LABEL_REPEATED' }
const oneOf = { oneofIndex: 0 }

/** A message in the JSON of its descriptor. A type that begins with a dot is another message. */
function message(name: string, fields: readonly Field[], oneof?: string): JsonValue {
  return {
    name,
    field: fields.map(([field, number, type, more]) => ({
      name: field,
      jsonName: field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      number,
      label: 'LABEL_OPTIONAL',
      ...(type.startsWith('.') ? { type: 'TYPE_MESSAGE', typeName: type } : { type: `TYPE_${type.toUpperCase()}` }),
      ...more,
    })),
    ...(oneof !== undefined && { oneofDecl: [{ name: oneof }] }),
  }
}

const healthFile: JsonValue = {
  name: 'grpc/health/v1/health.proto',
  package: 'grpc.health.v1',
  syntax: 'proto3',
  messageType: [
    message('HealthCheckRequest', [['service', 1, 'string']]),
    {
      ...(message('HealthCheckResponse', [
        ['status', 1, 'enum', { typeName: '.grpc.health.v1.HealthCheckResponse.ServingStatus' }],
      ]) as object),
      enumType: [
        {
          name: 'ServingStatus',
          value: ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'].map((name, number) => ({ name, number })),
        },
      ],
    },
  ],
  service: [
    {
      name: 'Health',
      method: [
        { name: 'Check', inputType: '.grpc.health.v1.HealthCheckRequest', outputType: '.grpc.health.v1.HealthCheckResponse' },
        {
          name: 'Watch',
          inputType: '.grpc.health.v1.HealthCheckRequest',
          outputType: '.grpc.health.v1.HealthCheckResponse',
          serverStreaming: true,
        },
      ],
    },
  ],
}

/** Tools ask for one of two versions, which are the same but for their name. */
function reflectionFile(version: 'v1' | 'v1alpha'): JsonValue {
  const own = `.grpc.reflection.${version}`
  return {
    name: `grpc/reflection/${version}/reflection.proto`,
    package: own.slice(1),
    syntax: 'proto3',
    messageType: [
      message(
        'ServerReflectionRequest',
        [
          ['host', 1, 'string'],
          ['file_by_filename', 3, 'string', oneOf],
          ['file_containing_symbol', 4, 'string', oneOf],
          ['file_containing_extension', 5, `${own}.ExtensionRequest`, oneOf],
          ['all_extension_numbers_of_type', 6, 'string', oneOf],
          ['list_services', 7, 'string', oneOf],
        ],
        'message_request',
      ),
      message('ExtensionRequest', [
        ['containing_type', 1, 'string'],
        ['extension_number', 2, 'int32'],
      ]),
      message(
        'ServerReflectionResponse',
        [
          ['valid_host', 1, 'string'],
          ['original_request', 2, `${own}.ServerReflectionRequest`],
          ['file_descriptor_response', 4, `${own}.FileDescriptorResponse`, oneOf],
          ['all_extension_numbers_response', 5, `${own}.ExtensionNumberResponse`, oneOf],
          ['list_services_response', 6, `${own}.ListServiceResponse`, oneOf],
          ['error_response', 7, `${own}.ErrorResponse`, oneOf],
        ],
        'message_response',
      ),
      message('FileDescriptorResponse', [['file_descriptor_proto', 1, 'bytes', repeated]]),
      message('ExtensionNumberResponse', [
        ['base_type_name', 1, 'string'],
        ['extension_number', 2, 'int32', repeated],
      ]),
      message('ListServiceResponse', [['service', 1, `${own}.ServiceResponse`, repeated]]),
      message('ServiceResponse', [['name', 1, 'string']]),
      message('ErrorResponse', [
        ['error_code', 1, 'int32'],
        ['error_message', 2, 'string'],
      ]),
    ],
    service: [
      {
        name: 'ServerReflection',
        method: [
          {
            name: 'ServerReflectionInfo',
            inputType: `${own}.ServerReflectionRequest`,
            outputType: `${own}.ServerReflectionResponse`,
            clientStreaming: true,
            serverStreaming: true,
          },
        ],
      },
    ],
  }
}

function serviceOf(file: JsonValue, name: string): DescService {
  const set = fromJson(FileDescriptorSetSchema, { file: [file] })
  const service = createFileRegistry(set).getService(name)
  if (!service) throw new TypeError(`${name} is not there`)
  return service
}

const health = serviceOf(healthFile, 'grpc.health.v1.Health')
const reflections = (['v1', 'v1alpha'] as const).map((version) =>
  serviceOf(reflectionFile(version), `grpc.reflection.${version}.ServerReflection`),
)

export const grpcServices: readonly DescService[] = [health, ...reflections]
const names = grpcServices.map(({ typeName }) => typeName)

const serving = { unknownStatus: 0, serving: 1, notServing: 2, serviceUnknown: 3 } as const
const watchMs = 5000

export function serveGrpcServices(router: ConnectRouter, { ping }: GrpcServicesNeeds): void {
  const isKnown = (name: string) => name === '' || servedServices.includes(name) || names.includes(name)
  const statusNow = () =>
    ping().then(
      () => serving.serving,
      () => serving.notServing,
    )
  router.service(health, {
    async check({ service }: { service: string }) {
      if (!isKnown(service)) throw new ConnectError(`there is no service ${JSON.stringify(service)}`, Code.NotFound)
      return { status: await statusNow() }
    },
    async *watch({ service }: { service: string }, { signal }: { signal: AbortSignal }) {
      let told: number | undefined
      while (!signal.aborted) {
        const status = isKnown(service) ? await statusNow() : serving.serviceUnknown
        if (status !== told) yield { status }
        told = status
        await delay(watchMs, undefined, { ref: false, signal }).catch(() => undefined)
      }
    },
  } as never)
  for (const reflection of reflections) {
    router.service(reflection, {
      async *serverReflectionInfo(requests: AsyncIterable<ReflectionRequest>) {
        for await (const request of requests) {
          yield { validHost: request.host, originalRequest: request, messageResponse: await answer(request) }
        }
      },
    } as never)
  }
}

interface ReflectionRequest {
  readonly host: string
  readonly messageRequest: { readonly case?: string; readonly value?: unknown }
}

async function answer({ messageRequest: { case: kind, value } }: ReflectionRequest): Promise<object> {
  if (kind === 'listServices') {
    const all = [...servedServices, ...names].toSorted()
    return { case: 'listServicesResponse', value: { service: all.map((name) => ({ name })) } }
  }
  const files = await filesByName()
  const file =
    kind === 'fileByFilename' ? files.get(String(value)) : kind === 'fileContainingSymbol' ? fileOf(String(value), files) : undefined
  if (file) return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: withDependencies(file).map(bytesOf) } }
  const isAsked = kind === 'fileByFilename' || kind === 'fileContainingSymbol'
  const error = isAsked
    ? { errorCode: Code.NotFound, errorMessage: `there is nothing of the name ${JSON.stringify(value)}` }
    : { errorCode: Code.Unimplemented, errorMessage: 'extensions are not told' }
  return { case: 'errorResponse', value: error }
}

let known: Promise<ReadonlyMap<string, DescFile>> | undefined

/** Every file that a served service is made of, by its name. They are loaded when somebody asks. */
function filesByName(): Promise<ReadonlyMap<string, DescFile>> {
  known ??= loadFiles()
  return known
}

async function loadFiles(): Promise<ReadonlyMap<string, DescFile>> {
  const served = publishedServices.filter(({ name }) => servedServices.includes(name))
  const services = [...grpcServices, ...(await Promise.all(served.map(({ load }) => load())))]
  const files = new Map<string, DescFile>()
  for (const file of services.flatMap((service) => withDependencies(service.file))) files.set(file.proto.name, file)
  return files
}

/** The file that declares a service, a method, a message or an enum. */
function fileOf(symbol: string, files: ReadonlyMap<string, DescFile>): DescFile | undefined {
  for (const file of files.values()) {
    const declared = [...file.services, ...file.messages, ...file.enums].map(({ typeName }) => typeName)
    if (declared.some((name) => symbol === name || symbol.startsWith(`${name}.`))) return file
  }
  return undefined
}

function withDependencies(file: DescFile, found = new Map<string, DescFile>()): DescFile[] {
  if (!found.has(file.proto.name)) {
    found.set(file.proto.name, file)
    for (const dependency of file.dependencies) withDependencies(dependency, found)
  }
  return [...found.values()]
}

const bytesOf = ({ proto }: DescFile) => toBinary(FileDescriptorProtoSchema, proto)
