import { everyItem } from '#src/base/page.ts'
import type { User } from '#src/domain/users/user.ts'
import { type Command, operandsOf } from './command.ts'
import { type MetadataJson, metadataJson, metadataLines } from './metadataEntry.ts'
import { momentOf } from './table.ts'
import { getUser, withDomain } from './withDomain.ts'

/** What is told about a user; times as everywhere in our JSON. */
export const userJson = ({ id, username, kind, state, admin, profile, sequence, createdAt, changedAt }: User) => ({
  id,
  username,
  kind,
  state,
  admin,
  ...profile,
  sequence,
  creationDate: createdAt,
  changeDate: changedAt,
})

export const userListCommand: Command = {
  name: 'user list',
  summary: 'All users, by id',
  operands: '',
  options: {},
  async run(invocation) {
    operandsOf(invocation)
    return withDomain(invocation, async ({ users }) => {
      // Line by line: a million users take no more memory than one.
      let separator = ''
      if (invocation.options.json) invocation.say('{"users":[')
      for await (const user of everyItem(users.list)) {
        invocation.say(invocation.options.json ? separator + JSON.stringify(userJson(user)) : lineOf(user))
        separator = ','
      }
      if (invocation.options.json) invocation.say(']}')
      return undefined
    })
  },
}

const lineOf = ({ id, kind, state, username, profile }: User) =>
  [id, kind.padEnd(7), state.padEnd(8), username, profile.email ? `<${profile.email}>` : ''].join('  ').trimEnd()

export const userGetCommand: Command = {
  name: 'user get',
  summary: 'One user with names, state and metadata; USER is an id or a username',
  operands: 'USER',
  options: {},
  async run(invocation) {
    const [name] = operandsOf(invocation, 'USER')
    return withDomain(invocation, async (domain) => {
      const { id } = await getUser(domain, name)
      const [found, projects] = await Promise.all([domain.users.findWithMetadata(id), domain.catalogue.listProjects()])
      const { user, metadata } = found ?? { user: await domain.users.get(id), metadata: [] }
      const projectNames = new Map(projects.map((project) => [project.id, project.name]))
      const roles = Object.fromEntries(Object.entries(user.roles).map(([project, keys]) => [projectNames.get(project) ?? project, keys]))
      const entries: readonly MetadataJson[] = metadata.map(metadataJson)
      const { address, ...profile } = user.profile
      const facts: readonly (readonly [string, string])[] = [
        ['id', user.id],
        ['username', user.username],
        ['kind', user.kind],
        ['state', user.state],
        ...(user.deletionAt === undefined ? [] : [['to be deleted', momentOf(new Date(user.deletionAt))] as const]),
        ['admin', user.admin ? 'yes' : 'no'],
        ['password', user.passwordHash ? 'set' : 'none'],
        ...Object.entries(profile).map(([field, value]) => [field, String(value)] as const),
        ...(address ? [['address', Object.values(address).join(', ')] as const] : []),
        ...Object.entries(roles).map(([project, keys]) => [`roles in ${project}`, keys.join(', ')] as const),
        ['created', momentOf(user.createdAt)],
        ['changed', `${momentOf(user.changedAt)} (change ${user.sequence})`],
      ]
      const width = Math.max(...facts.map(([fact]) => fact.length)) + 2
      return {
        json: { ...userJson(user), hasPassword: user.passwordHash !== undefined, roles, metadata: entries },
        text: [
          ...facts.map(([fact, value]) => fact.padEnd(width) + value),
          '',
          metadata.length === 0 ? 'no metadata' : 'metadata',
          ...metadataLines(metadata),
        ],
      }
    })
  },
}
