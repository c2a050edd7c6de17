import { sharedClerkSync } from 'clerk-sync'
import { connection } from 'next/server'

/** Clerk's users, from the app's own database. */
export default async function Page() {
  await connection()
  const users = await sharedClerkSync()
    .database.selectFrom('users_live')
    .select(['id', 'first_name', 'primary_email_address'])
    .execute()
  return (
    <ul>
      {users.map((user) => (
        <li key={user.id}>
          {user.first_name} {user.primary_email_address}
        </li>
      ))}
    </ul>
  )
}
