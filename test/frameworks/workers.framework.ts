import { describeFramework } from './framework.ts'

describeFramework({
  title: 'Cloudflare Workers',
  folder: 'workers',
  recipe: 'src/worker.ts',
  start: () => ['node', 'serve.mjs'],
  readPath: '/api/webhooks/clerk?read',
})
