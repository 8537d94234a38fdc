// Runs as the system: clients may write nothing of their custom user data but this.
exports = async function setFavoriteColor(color) {
  if (!['blue', 'green', 'red'].includes(color)) throw new Error(`${color} is not a color that we have`)
  const users = context.services.get('mongodb-atlas').db('myapp').collection('users')
  await users.updateOne({ user_account_id: context.user.id }, { $set: { favorite_color: color } })
  return color
}
