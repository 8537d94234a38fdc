import { type DescMessage, fromJson, type JsonValue } from '@bufbuild/protobuf'
import { UpdateTargetRequestSchema } from '@zitadel/proto/zitadel/action/v2beta/action_service_pb.js'
import {
  AddAppleProviderRequestSchema,
  AddGenericOAuthProviderRequestSchema,
  AddHumanUserRequestSchema,
  AddLDAPProviderRequestSchema,
  AddMachineKeyRequestSchema,
  AddOIDCAppRequestSchema,
  ResendHumanInitializationRequestSchema,
  SetCustomInitMessageTextRequestSchema,
  UpdateHumanPhoneRequestSchema,
} from '@zitadel/proto/zitadel/management_pb.js'
import { AddKeyRequestSchema, SetEmailRequestSchema } from '@zitadel/proto/zitadel/user/v2/user_service_pb.js'
import { describe, expect, test } from 'vitest'
import { formatGoDuration } from '#src/http/zitadel/goDuration.ts'
import { checkOf } from '#src/http/zitadel/validate.ts'

const faultOf = (schema: DescMessage, json: JsonValue) => checkOf(schema)(fromJson(schema, json))
const embedded = 'embedded message failed validation | caused by: '

describe('a fault is told in the words of protoc-gen-validate', () => {
  const human = { userName: 'jane', profile: { firstName: 'Jane', lastName: 'Roe' } }
  const oauth = {
    name: 'x',
    clientId: 'x',
    clientSecret: 'x',
    authorizationEndpoint: 'x',
    tokenEndpoint: 'x',
    userEndpoint: 'x',
    idAttribute: 'x',
  }
  const app = { projectId: '7', name: 'app' }

  const cases: [DescMessage, JsonValue, string | undefined][] = [
    [
      AddHumanUserRequestSchema,
      { ...human, userName: '' },
      'invalid AddHumanUserRequest.UserName: value length must be between 1 and 200 runes, inclusive',
    ],
    [AddHumanUserRequestSchema, { userName: 'jane' }, 'invalid AddHumanUserRequest.Profile: value is required'],
    [AddHumanUserRequestSchema, human, 'invalid AddHumanUserRequest.Email: value is required'],
    [
      AddHumanUserRequestSchema,
      { ...human, email: { email: 'nobody' } },
      `invalid AddHumanUserRequest.Email: ${embedded}invalid AddHumanUserRequest_Email.Email: value must be a valid email address`,
    ],
    [AddHumanUserRequestSchema, { ...human, email: { email: 'jane@example.com' } }, undefined],
    [AddOIDCAppRequestSchema, { ...app, clockSkew: '5s' }, undefined],
    [AddOIDCAppRequestSchema, { ...app, clockSkew: '5.001s' }, 'invalid AddOIDCAppRequest.ClockSkew: value must be inside range [0s, 5s]'],
    [AddOIDCAppRequestSchema, { ...app, clockSkew: '-1s' }, 'invalid AddOIDCAppRequest.ClockSkew: value must be inside range [0s, 5s]'],
    [AddMachineKeyRequestSchema, { userId: '7' }, 'invalid AddMachineKeyRequest.Type: value must not be in list [0]'],
    [
      AddMachineKeyRequestSchema,
      { userId: '7', type: 9 },
      'invalid AddMachineKeyRequest.Type: value must be one of the defined enum values',
    ],
    [UpdateHumanPhoneRequestSchema, { userId: '7', phone: '079' }, 'invalid UpdateHumanPhoneRequest.Phone: value does not have prefix "+"'],
    [ResendHumanInitializationRequestSchema, { userId: '7' }, undefined],
    [
      ResendHumanInitializationRequestSchema,
      { userId: '7', email: 'nobody' },
      'invalid ResendHumanInitializationRequest.Email: value must be a valid email address',
    ],
    [
      SetCustomInitMessageTextRequestSchema,
      { language: 'en', title: 'é'.repeat(1001) },
      'invalid SetCustomInitMessageTextRequest.Title: value length must be at most 2000 bytes',
    ],
    [
      AddAppleProviderRequestSchema,
      { name: 'x', clientId: 'x', teamId: 'too short' },
      'invalid AddAppleProviderRequest.TeamId: value length must be 10 runes',
    ],
    [
      AddGenericOAuthProviderRequestSchema,
      { ...oauth, scopes: Array(21).fill('s') },
      'invalid AddGenericOAuthProviderRequest.Scopes: value must contain no more than 20 item(s)',
    ],
    [
      AddGenericOAuthProviderRequestSchema,
      { ...oauth, scopes: ['s', ''] },
      'invalid AddGenericOAuthProviderRequest.Scopes[1]: value length must be between 1 and 100 runes, inclusive',
    ],
    [
      AddLDAPProviderRequestSchema,
      { name: 'x' },
      'invalid AddLDAPProviderRequest.Servers: value must contain between 1 and 20 items, inclusive',
    ],
    [SetEmailRequestSchema, { userId: '7', email: 'a@b', isVerified: false }, 'invalid SetEmailRequest.IsVerified: value must equal true'],
    [AddKeyRequestSchema, { userId: '7' }, 'invalid AddKeyRequest.ExpirationDate: value is required'],
    [AddKeyRequestSchema, { userId: '7', expirationDate: '2030-01-01T00:00:00Z' }, undefined],
    [
      UpdateTargetRequestSchema,
      { id: '7', expirationSigningKey: '3600s' },
      'invalid UpdateTargetRequest.ExpirationSigningKey: value must equal 0s',
    ],
  ]
  test.each(cases.map(([schema, json, fault]) => ({ schema, name: schema.name, json, fault })))(
    '$name: $fault',
    ({ schema, json, fault }) => {
      expect(faultOf(schema, json)).toBe(fault)
    },
  )
})

test.each([
  [0n, 0, '0s'],
  [0n, 500_000_000, '500ms'],
  [1n, 500_000_000, '1.5s'],
  [90n, 0, '1m30s'],
  [3600n, 0, '1h0m0s'],
])('a duration of %d s and %d ns is written as Go writes it: %3$s', (seconds, nanos, text) => {
  expect(formatGoDuration({ seconds, nanos })).toBe(text)
})
