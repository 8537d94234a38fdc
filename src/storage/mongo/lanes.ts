/** Work of one name waits for its turn; work of different names does not wait for each other. */
export class Lanes {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `work` when everything that was asked for before it under `name` has ended, well or badly. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(work, work)
    this.#last.set(name, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(name) === turn) this.#last.delete(name)
    }
  }
}
