import { describeFramework } from './framework.ts'

/** The platform reads every body, and keeps its bytes. */
const bodies = { readsBodies: true, keepsBodies: true, refusesCharsets: true }
const start = () => ['functions-framework', '--target', 'clerkWebhook', '--signature-type', 'http']

describeFramework({
  title: 'Cloud Functions',
  folder: 'google',
  recipe: 'index.js',
  staysAlive: false,
  ...bodies,
  start,
})
