import { describeFramework } from './framework.ts'

describeFramework({
  title: 'Astro',
  folder: 'astro',
  recipe: 'src/pages/api/webhooks/clerk.ts',
  build: ['astro', 'build'],
  start: () => ['node', 'dist/server/entry.mjs'],
  answersMethods: true,
})
