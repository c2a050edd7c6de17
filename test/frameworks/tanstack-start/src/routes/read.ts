import { createFileRoute } from '@tanstack/react-router'

export const Route = createFileRoute('/read')({
  server: {
    handlers: {
      POST: async ({ request }) => {
        await request.text()
        const { sharedClerkSync } = await import('clerk-sync')
        return sharedClerkSync().fetch(request)
      },
    },
  },
})
