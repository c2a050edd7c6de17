import { index, route } from '@react-router/dev/routes'

export default [
  index('routes/home.tsx'),
  route('api/webhooks/clerk', 'routes/clerk-webhook.ts'),
  route('read', 'routes/read.ts'),
]
