/** What the numbers were measured on. */

import { readFileSync } from 'node:fs'
import { arch, cpus, release, totalmem, type } from 'node:os'
import type { DatabaseFacts } from './database.ts'

const PACKAGES = [
  'pg',
  'svix',
  'express',
  'fastify',
  'standardwebhooks',
  '@clerk/backend',
  '@supabase/stripe-sync-engine',
  'stripe',
]

export interface Machine {
  readonly cpu: string
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly packages: Readonly<Record<string, string>>
  readonly postgres: DatabaseFacts | undefined
}

export function describeMachine(postgres?: DatabaseFacts): Machine {
  const packages = PACKAGES.map((name) => [name, versionIn(`./node_modules/${name}/package.json`)])
  return {
    cpu: `${cpus().length} × ${cpus()[0]?.model}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    packages: Object.fromEntries([['clerk-sync', versionIn('../package.json')], ...packages]),
    postgres,
  }
}

function versionIn(path: string): string {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version
}

/** For people, in a few lines. */
export function machineLines({ cpu, memoryGiB, system, node, packages, postgres }: Machine): string[] {
  const lines = [
    `${cpu}, ${memoryGiB} GiB, ${system}, Node ${node}`,
    Object.entries(packages)
      .map((entry) => entry.join(' '))
      .join(', '),
  ]
  if (!postgres) return lines
  const settings = Object.entries(postgres.settings).map((setting) => setting.join(' = '))
  const commit = `one commit takes ${postgres.commitMs.toFixed(2)} ms`
  return [...lines, `Postgres ${postgres.version}: ${settings.join(', ')}; ${commit}`]
}
