import { describeFramework } from './framework.ts'

describeFramework({
  title: 'React Router',
  folder: 'react-router',
  recipe: 'app/routes/clerk-webhook.ts',
  build: ['react-router', 'build'],
  start: () => ['react-router-serve', 'build/server/index.js'],
  answersMethods: true,
})
