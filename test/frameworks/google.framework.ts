import { describeFramework } from './framework.ts'

const start = () => ['functions-framework', '--target', 'clerkWebhook', '--signature-type', 'http']

describeFramework({ title: 'Cloud Functions', folder: 'google', recipe: 'index.js', start })
