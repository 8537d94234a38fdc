import { areaOf } from '#src/domain/applications/builtIn.ts'
import type { Texts } from './messages.ts'

/** The name of an application for a visitor: the program's own are called as in their language, every other as its owner calls it, or by its client id once it is gone. */
export function applicationName({ t }: Pick<Texts, 't'>, clientId: string, name: string = clientId): string {
  const area = areaOf(clientId)
  return area === undefined ? name : t(`area.${area}`)
}
