/** The measure of all: a Koa server that says hello, on the same Node in the same run. */
import Koa from 'koa'
import { reportTo } from './report.ts'

const app = new Koa()
app.use((ctx) => {
  ctx.body = { hello: 'world' }
})
const server = app.listen(0, 'localhost', () => reportTo(process, server))
