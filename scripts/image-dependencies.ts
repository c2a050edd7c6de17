/**
 * Makes production dependencies of the optional peers that the container image has, in package.json and its lock file, so
 * that `npm ci --omit=dev` installs the versions that were tested. Run by the Dockerfile, in a folder of its own, where it
 * can import no other script.
 */

import { readFileSync, writeFileSync } from 'node:fs'

export const IMAGE_PEERS = ['@prometheus-io/client', 'bullmq', 'ioredis'] as const

interface Manifest {
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  dev?: boolean
}

export interface Lock {
  readonly packages: Record<string, LockedPackage>
}

/** In package.json, or in the lock file's copy of it. */
export function promote(manifest: Manifest, names: readonly string[]): void {
  for (const name of names) {
    manifest.dependencies[name] = manifest.devDependencies[name] as string
    delete manifest.devDependencies[name]
  }
}

/** npm skips packages marked as `dev` in the lock file, even if a production dependency needs them. */
export function keep(lock: Lock, name: string, from = ''): void {
  const path = placeOf(lock, name, from)
  const entry = path === undefined ? undefined : lock.packages[path]
  if (path === undefined || entry?.dev === undefined) return
  delete entry.dev
  const needed = { ...entry.dependencies, ...entry.optionalDependencies }
  for (const each of Object.keys(needed)) keep(lock, each, path)
}

/** Where Node finds a package from another: the nearest folder on the way up that has it. */
function placeOf({ packages }: Lock, name: string, from: string): string | undefined {
  const path = `${from}${from && '/'}node_modules/${name}`
  if (packages[path]) return path
  if (from === '') return undefined
  return placeOf({ packages }, name, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))))
}

function edit<Content>(path: string, change: (content: Content) => void): void {
  const content = JSON.parse(readFileSync(path, 'utf8')) as Content
  change(content)
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`)
}

if (import.meta.main) {
  edit<Manifest>('package.json', (manifest) => promote(manifest, IMAGE_PEERS))
  edit<Lock>('package-lock.json', (lock) => {
    promote(lock.packages[''] as unknown as Manifest, IMAGE_PEERS)
    for (const name of IMAGE_PEERS) keep(lock, name)
  })
}
