import { describeFramework } from './framework.ts'

describeFramework({
  title: 'SvelteKit',
  folder: 'sveltekit',
  recipe: 'src/routes/api/webhooks/clerk/+server.ts',
  build: ['vite', 'build'],
  start: () => ['node', 'build'],
  env: { BODY_SIZE_LIMIT: 'Infinity' },
  answersMethods: true,
})
