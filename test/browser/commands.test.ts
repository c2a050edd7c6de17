import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { curlCommand, triggerCommand } from '../../dashboard/src/commands.ts'

const HOSTILE = {
  id: "msg_'; touch /tmp/pwned; '",
  type: 'user.created',
  text: '{"data":{"first_name":"O\'Brien $(id) `id` \\\\ \\"x\\"\\n"}}',
}

it('an event is a command for curl that posts exactly its payload, whatever is in it', async () => {
  const received: { id: unknown; body: string }[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    received.push({ id: request.headers['svix-id'], body })
    response.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const command = curlCommand(HOSTILE, `http://127.0.0.1:${port}/webhooks/clerk`)
  await promisify(execFile)('sh', ['-c', command])
  expect(received).toEqual([{ id: HOSTILE.id, body: HOSTILE.text }])
  server.close()
})

it('an event is a command that signs it anew, from the same payload', async () => {
  const printing = `clerk-sync() { printf '%s|' "$@"; cat; }; ${triggerCommand(HOSTILE)}`
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    printing.replace('clerk-sync()', 'clerk_sync()').replace('| clerk-sync', '| clerk_sync'),
  ])
  expect(stdout).toBe(`trigger|user.created|--data|-|${HOSTILE.text}`)
})
