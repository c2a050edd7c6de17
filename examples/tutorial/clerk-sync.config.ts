/** `npx clerk-sync start` reads it. The tables are made by the app's own migrations: `createTables` shows them. */

import { defineConfig } from 'clerk-sync'
import { createHandlers } from './handlers.ts'

export default defineConfig({ handlers: createHandlers('public', 'soft') })
