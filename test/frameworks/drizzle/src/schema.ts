import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import { users } from './clerk'

export const profiles = pgTable('profiles', {
  id: serial().primaryKey(),
  userId: text('user_id')
    .notNull()
    .references(() => users.id),
  bio: text(),
})
