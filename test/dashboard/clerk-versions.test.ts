/** Signing in with the versions of `@clerk/backend` that apps have. */

import { createSign, generateKeyPairSync } from 'node:crypto'
import { afterEach, expect, it, vi } from 'vitest'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwtKey = publicKey.export({ type: 'spki', format: 'pem' }).toString()

function tokenOf(claims: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const times = { iat: now, nbf: now - 5, exp: now + 60 }
  const head = `${encode({ alg: 'RS256', typ: 'JWT', kid: 'ins_1' })}.${encode({ ...times, ...claims })}`
  return `${head}.${createSign('RSA-SHA256').update(head).sign(privateKey).toString('base64url')}`
}

afterEach(() => {
  vi.doUnmock('@clerk/backend')
  vi.resetModules()
})

it.each([
  ['2', () => import('clerk-backend2')],
  ['3', undefined],
] as const)('lets in whom Clerk knows, with @clerk/backend %s', async (_, load) => {
  vi.resetModules()
  if (load) vi.doMock('@clerk/backend', load)
  const { clerkSignIn } = await import('../../src/dashboard/clerk-sign-in.ts')
  const authorize = clerkSignIn({ jwtKey })
  const ask = (token: string) =>
    authorize(new Request('http://localhost/', { headers: { authorization: `Bearer ${token}` } }))
  const token = tokenOf({ sub: 'user_1', iss: 'https://clerk.example.com', clerk_sync: 'operator' })
  expect(await ask(token)).toEqual({ name: 'user_1', role: 'operator' })
  expect(await ask(`${token.slice(0, -8)}AAAAAAAA`)).toBeNull()
})
