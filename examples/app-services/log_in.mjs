// Registers somebody, reads and changes their custom user data. Run it beside a server that has this app:
//   npx dossier app-services push examples/app-services && npm start
//   node examples/app-services/log_in.mjs
import * as Realm from 'realm-web'

const app = new Realm.App({ id: 'myapp-abcde', baseUrl: process.env.DOSSIER_ISSUER ?? 'http://localhost:8080' })
const email = `jane-${Date.now()}@example.com`
const password = 'a sentence of four words'

await app.emailPasswordAuth.registerUser({ email, password })
const user = await app.logIn(Realm.Credentials.emailPassword(email, password))
console.log(`${user.id} likes ${user.customData.favorite_color}`)

await user.callFunction('setFavoriteColor', 'green')
await user.refreshCustomData()
console.log(`${user.id} likes ${user.customData.favorite_color}`)

const document = await user.mongoClient('mongodb-atlas').db('myapp').collection('users').findOne()
console.log('may read', Object.keys(document).join(', '))
