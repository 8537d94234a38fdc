import { type DescField, type DescMethod, type DescService, getOption } from '@bufbuild/protobuf'
import { http } from '@zitadel/proto/google/api/annotations_pb.js'
import { options } from '@zitadel/proto/zitadel/protoc_gen_zitadel/v2/options_pb.js'

/** One address of an RPC, from its `google.api.http` annotation. */
export interface Route {
  readonly rpc: DescMethod
  /** The fields that the variables of the path fill, from left to right. */
  readonly variables: readonly DescField[]
  /** Whether the body is the request; otherwise the query is. */
  readonly hasBody: boolean
  /** The field that the body is, where it is not the whole request. */
  readonly bodyField?: DescField
  /** Of a reply without a fault. */
  readonly status: number
}

/** `segments` are the values of the route's variables. Without a route, `methods` says what the path would take: nothing when there is no such path. */
export type Match =
  | { readonly route: Route; readonly values: readonly string[] }
  | { readonly route?: undefined; readonly methods: readonly string[] }

export type Routes = ReturnType<typeof createRoutes>

interface Node {
  readonly literals: Map<string, Node>
  readonly routes: Map<string, Route>
  variable?: Node
  /** What `{name=**}` leads to: all that is left of the path. */
  rest?: Node
}

const newNode = (): Node => ({ literals: new Map(), routes: new Map() })

/** The table of all addresses of `services`, whose annotations are relative to `base`. A literal segment wins over a variable. */
export function createRoutes(base: string, services: readonly DescService[]) {
  const root = newNode()
  for (const rpc of services.flatMap(({ methods }) => methods)) {
    const rule = getOption(rpc, http)
    const status = getOption(rpc, options).httpResponse?.successCode || 200
    for (const { pattern, body } of [rule, ...rule.additionalBindings]) {
      if (pattern.value === undefined) continue
      const bodyField = rpc.input.fields.find(({ name }) => name === body)
      const isKnown = body === '' || body === '*' || bodyField !== undefined
      if (pattern.case === 'custom' || !isKnown) throw new TypeError(`the address of ${rpc} is of an unknown kind`)
      const { node, variables } = plant(root, base + pattern.value, rpc)
      node.routes.set(pattern.case.toUpperCase(), { rpc, variables, hasBody: body !== '', status, ...(bodyField && { bodyField }) })
    }
  }

  return {
    /** The route of a request, by its path's segments with percent-encoding undone. */
    find(method: string, segments: readonly string[]): Match {
      const values: string[] = []
      const methods = new Set<string>()
      const route = walk(root, segments, 0, method, values, methods)
      return route ? { route, values } : { methods: [...methods] }
    },
  }
}

function plant(root: Node, template: string, rpc: DescMethod) {
  const variables: DescField[] = []
  let node = root
  for (const segment of segmentsOf(template)) {
    const variable = /^\{(\w+)(=\*\*)?\}$/.exec(segment)
    if (!variable) {
      if (/[{}*:=]/.test(segment)) throw new TypeError(`the path ${template} of ${rpc} is of an unknown kind`)
      node = node.literals.get(segment) ?? setIn(node.literals, segment, newNode())
      continue
    }
    const field = rpc.input.fields.find(({ name }) => name === variable[1])
    if (!field) throw new TypeError(`the path ${template} of ${rpc} names no field`)
    variables.push(field)
    if (variable[2] === undefined) {
      node.variable ??= newNode()
      node = node.variable
    } else {
      node.rest ??= newNode()
      node = node.rest
    }
  }
  return { node, variables }
}

function walk(
  node: Node,
  segments: readonly string[],
  index: number,
  method: string,
  values: string[],
  methods: Set<string>,
): Route | undefined {
  const segment = segments[index]
  if (segment === undefined) return take(node, method, methods)
  const literal = node.literals.get(segment)
  const found = literal && walk(literal, segments, index + 1, method, values, methods)
  if (found) return found
  if (node.variable && segment !== '') {
    values.push(segment)
    const below = walk(node.variable, segments, index + 1, method, values, methods)
    if (below) return below
    values.pop()
  }
  const last = node.rest && take(node.rest, method, methods)
  if (last) values.push(segments.slice(index).join('/'))
  return last
}

function take(node: Node, method: string, methods: Set<string>): Route | undefined {
  for (const known of node.routes.keys()) methods.add(known)
  return node.routes.get(method)
}

/** What stands between the slashes of a path. */
export const segmentsOf = (path: string): string[] => path.slice(1).split('/')

function setIn<K, V>(map: Map<K, V>, key: K, value: V): V {
  map.set(key, value)
  return value
}
