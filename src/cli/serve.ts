import { serve } from '#src/main.ts'
import { type Command, operandsOf } from './command.ts'

export const serveCommand: Command = {
  name: 'serve',
  summary: 'Run the server (npm start does this)',
  operands: '',
  options: {},
  async run(invocation) {
    operandsOf(invocation)
    await serve({ environment: invocation.environment, say: invocation.say })
    return undefined
  },
}
