/**
 * What functions of apps find around them. This text is run once in each context, before any function, with BSON's own bundle in front of it. It is the only code inside that
 * knows the way out: `outside.send` and `outside.now` take and give texts only, so that no object of the outside can be reached from within.
 *
 * The value of the text is a function that the worker calls for what it wants done; it too takes texts.
 */
;(outside, BSON) => {
  const { EJSON } = BSON
  const write = (value) => EJSON.stringify(value, { relaxed: false })
  const read = (text) => EJSON.parse(text, { relaxed: true })
  /** Functions of the app by name: what makes them, and whether they run as the system. */
  const functions = new Map()
  /** What was asked of the outside and is not answered yet, by number. */
  const waiting = new Map()
  let last = 0

  const ask = (call, what) =>
    new Promise((resolve, reject) => {
      last += 1
      const number = String(last)
      waiting.set(number, { resolve, reject })
      outside.send(call.id, number, write(what))
    })

  class FunctionError extends Error {}

  /** A list of documents that is asked for when somebody wants the first. */
  class Cursor {
    #fetch
    #documents
    #options = {}
    #at = 0
    constructor(fetch) {
      this.#fetch = fetch
    }
    #with(name, value) {
      this.#options[name] = value
      return this
    }
    sort(order) {
      return this.#with('sort', order)
    }
    limit(count) {
      return this.#with('limit', count)
    }
    skip(count) {
      return this.#with('skip', count)
    }
    project(projection) {
      return this.#with('projection', projection)
    }
    async toArray() {
      this.#documents ??= await this.#fetch(this.#options)
      return this.#documents
    }
    async next() {
      const documents = await this.toArray()
      const document = documents[this.#at]
      this.#at += 1
      return document ?? null
    }
    async hasNext() {
      return this.#at < (await this.toArray()).length
    }
    async forEach(each) {
      for (const document of await this.toArray()) await each(document)
    }
    async map(each) {
      return (await this.toArray()).map(each)
    }
    async count() {
      return (await this.toArray()).length
    }
    async *[Symbol.asyncIterator]() {
      yield* await this.toArray()
    }
  }

  function collectionOf(call, isSystem, service, database, collection) {
    const act = (method, ...parameters) => ask(call, { kind: 'documents', isSystem, service, database, collection, method, parameters })
    const one = Object.fromEntries(
      [
        'findOne',
        'insertOne',
        'insertMany',
        'updateOne',
        'updateMany',
        'replaceOne',
        'deleteOne',
        'deleteMany',
        'findOneAndUpdate',
        'findOneAndReplace',
        'findOneAndDelete',
        'count',
        'distinct',
        'bulkWrite',
      ].map((method) => [method, (...parameters) => act(method, ...parameters)]),
    )
    return {
      name: collection,
      ...one,
      countDocuments: (...parameters) => act('count', ...parameters),
      find: (filter = {}, projection = undefined, options = {}) =>
        new Cursor((more) => act('find', filter, { ...options, ...(projection && { projection }), ...more })),
      aggregate: (pipeline = []) => new Cursor(() => act('aggregate', pipeline)),
    }
  }

  function servicesOf(call, isSystem) {
    return {
      get(service) {
        if (!call.services.includes(service)) throw new FunctionError(`service not found: '${service}'`)
        return {
          db: (database) => ({
            name: database,
            collection: (name) => collectionOf(call, isSystem, service, database, name),
            getCollectionNames: () => ask(call, { kind: 'collections', isSystem, service, database }),
          }),
        }
      },
    }
  }

  function httpOf(call) {
    const request = (method) => async (given) => {
      const {
        url,
        headers = {},
        body,
        encodeBodyAsJSON = false,
        form,
        authUrl,
        followRedirects = false,
      } = typeof given === 'string' ? { url: given } : given
      const text = body === undefined ? form && new Form(form).text : encodeBodyAsJSON ? write(body) : body
      const answer = await ask(call, {
        kind: 'http',
        method: given.method ?? method,
        url: url ?? authUrl,
        headers,
        body: text,
        isForm: form !== undefined,
        followRedirects,
      })
      return { ...answer, statusCode: answer.statusCode, body: { text: () => answer.body, toString: () => answer.body } }
    }
    return {
      get: request('GET'),
      post: request('POST'),
      put: request('PUT'),
      patch: request('PATCH'),
      delete: request('DELETE'),
      head: request('HEAD'),
      execute: (given) => request((given.method ?? 'GET').toUpperCase())(given),
    }
  }

  class Form {
    constructor(fields) {
      const escaped = (value) => encodeURIComponent(String(value)).replace(/%20/g, '+')
      this.text = Object.entries(fields)
        .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
        .join('&')
    }
  }

  /** What `context` is to one function of one call. */
  function contextOf(call, isSystem) {
    return {
      app: call.app,
      user: call.user,
      request: call.request,
      environment: call.environment,
      services: servicesOf(call, isSystem),
      http: httpOf(call),
      values: {
        get: (name) => (Object.hasOwn(call.values, name) ? call.values[name] : undefined),
      },
      functions: {
        execute: (name, ...parameters) => execute(call, name, parameters, isSystem),
      },
      runningAsSystem: () => isSystem,
    }
  }

  function consoleOf(call, name) {
    const told = (value) => {
      if (typeof value === 'string') return value
      if (value instanceof Error) return value.stack ?? String(value)
      try {
        return EJSON.stringify(value) ?? String(value)
      } catch {
        return String(value)
      }
    }
    const line =
      (level) =>
      (...parts) =>
        outside.log(call.id, level, name, parts.map(told).join(' '))
    return { log: line('info'), info: line('info'), debug: line('debug'), warn: line('warn'), error: line('error') }
  }

  const random = {
    randomBytes: (count) => BSON.Binary.createFromBase64(outside.now('randomBytes', String(count))),
    randomUUID: () => outside.now('randomUUID', ''),
    createHash: (algorithm) => digest(['hash', algorithm]),
    createHmac: (algorithm, key) => digest(['hmac', algorithm, String(key)]),
  }
  function digest(how) {
    const parts = []
    return {
      update(text) {
        parts.push(String(text))
        return this
      },
      digest(encoding = 'hex') {
        const answer = outside.now('digest', JSON.stringify([...how, parts.join(''), encoding]))
        if (answer === '') throw new FunctionError(`digest: ${how[1]} as ${encoding} is not known`)
        return answer
      },
    }
  }

  const modules = { bson: BSON, crypto: random }
  function require(name) {
    const found = Object.hasOwn(modules, name) ? modules[name] : undefined
    if (!found) throw new FunctionError(`Cannot find module '${name}': a function may require ${Object.keys(modules).join(' and ')}`)
    return found
  }

  /** Runs a function by its name, on behalf of whoever makes the call. */
  function execute(call, name, parameters, isSystem) {
    const found = functions.get(name)
    if (!found) throw new FunctionError(`function not found: '${name}'`)
    const module = { exports: undefined }
    const context = contextOf(call, isSystem || found.isSystem)
    const exported = found.make(context, module.exports, module, require, consoleOf(call, name)) ?? module.exports
    if (typeof exported !== 'function') throw new FunctionError(`'exports' of ${name} is not a function`)
    return exported(...parameters)
  }

  function told(error) {
    if (error instanceof Error) return [error.name, error.message, error.stack ?? '']
    if (typeof error === 'string') return ['Error', error, '']
    try {
      return ['Error', EJSON.stringify(error) ?? String(error), '']
    } catch {
      return ['Error', 'the function threw something that cannot be told', '']
    }
  }

  const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

  /** As browsers have them; BSON's binary values need both, and a bare context has neither. */
  function btoa(text) {
    const bytes = Array.from(String(text), (character) => character.charCodeAt(0))
    if (bytes.some((byte) => byte > 255)) throw new TypeError('btoa: a character is beyond Latin1')
    let encoded = ''
    for (let at = 0; at < bytes.length; at += 3) {
      const [one, two = 0, three = 0] = bytes.slice(at, at + 3)
      const bits = (one << 16) | (two << 8) | three
      const digits = [18, 12, 6, 0].map((shift) => base64[(bits >> shift) & 63])
      encoded += digits.map((digit, index) => (at + index > bytes.length ? '=' : digit)).join('')
    }
    return encoded
  }
  function atob(text) {
    const digits = String(text)
      .replace(/[\t\n\f\r ]/g, '')
      .replace(/={1,2}$/, '')
    if (/[^A-Za-z0-9+/]/.test(digits) || digits.length % 4 === 1) throw new TypeError('atob: this is not base64')
    let decoded = ''
    for (let at = 0; at < digits.length; at += 4) {
      const part = digits.slice(at, at + 4)
      const bits = Array.from(part.padEnd(4, 'A'), (digit) => base64.indexOf(digit)).reduce((sum, digit) => (sum << 6) | digit, 0)
      const bytes = [bits >> 16, (bits >> 8) & 255, bits & 255].slice(0, part.length - 1)
      decoded += bytes.map((byte) => String.fromCharCode(byte)).join('')
    }
    return decoded
  }

  Object.assign(globalThis, {
    BSON,
    EJSON,
    atob,
    btoa,
    setTimeout: (act, milliseconds = 0, ...parameters) => {
      if (typeof act !== 'function') throw new TypeError('setTimeout: the first argument must be a function')
      last += 1
      const number = String(last)
      waiting.set(number, { resolve: () => act(...parameters), reject: () => undefined })
      outside.send('', number, JSON.stringify({ kind: 'timer', milliseconds: Number(milliseconds) || 0 }))
      return Number(number)
    },
    clearTimeout: (number) => {
      waiting.delete(String(number))
    },
  })

  return {
    define(name, make, isSystem) {
      functions.set(name, { make, isSystem })
    },
    /** Answers by `outside.done` or `outside.failed`. */
    run(id, text) {
      const { name, parameters, isSystem, ...facts } = read(text)
      const call = { id, ...facts }
      new Promise((resolve) => resolve(execute(call, name, parameters, isSystem)))
        .then((value) => outside.done(id, value === undefined ? '{"$undefined":true}' : write(value)))
        .catch((error) => outside.failed(id, JSON.stringify(told(error))))
    },
    /** The answer to what was asked. */
    answer(number, ok, text) {
      const asked = waiting.get(number)
      waiting.delete(number)
      if (!asked) return
      if (ok) asked.resolve(text === '' ? undefined : read(text))
      else asked.reject(new FunctionError(text))
    },
    /** Forgets what a call that is over still waits for. */
    forget() {
      waiting.clear()
    },
  }
}
