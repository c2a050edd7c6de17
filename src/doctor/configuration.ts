/** What is set, and what is set besides. */

import { readdirSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { type Config, type ConfiguredSecret, OPTION_NAMES } from '../config.ts'
import { type Configuration, DEFAULT, describeOrigin } from '../configuration/configuration.ts'
import { missingSecret, parseSecret } from '../webhook/secret.ts'
import { type Check, failed, found, passed, type Result } from './check.ts'

export function configurationChecks(configuration: Configuration, config: Config): Check[] {
  return [
    { group: 'configuration', name: 'versions', run: async () => [passed(`Node ${process.versions.node}.`)] },
    { group: 'configuration', name: 'options', run: async () => checkOptions(configuration) },
    { group: 'configuration', name: 'secret', run: async () => checkSecrets(configuration, config) },
    { group: 'configuration', name: 'other secrets', run: async () => checkOtherSecrets(config) },
  ]
}

function checkOptions({ path, originsOf }: Configuration): Result[] {
  const twice = OPTION_NAMES.filter((option) => {
    const kinds = originsOf(option).map(({ kind }) => kind)
    return kinds.includes('environment') && kinds.includes('file')
  })
  return [
    passed(path === undefined ? 'No configuration file; none is required.' : `Read ${path}.`),
    ...twice.map((option) =>
      found('option_twice', `${option}, ${originsOf(option).map(describeOrigin).join(' and ')}`),
    ),
  ]
}

function checkSecrets({ originsOf }: Configuration, { signingSecrets, otherSecrets }: Config): Result[] {
  const [origin = DEFAULT] = originsOf('signingSecret')
  if (signingSecrets.length === 0) return [failed(missingSecret(otherSecrets))]
  const results = signingSecrets.map((each) => judge(each, describeOrigin(origin)))
  return origin.name === 'CLERK_WEBHOOK_SECRET' ? [...results, found('secret_old_name')] : results
}

function judge({ secret, instanceId }: ConfiguredSecret, origin: string): Result {
  try {
    const [warning] = parseSecret(secret).warnings
    if (warning !== undefined) return found('secret_odd', `${origin}. ${warning.replace(/\.$/, '')}`)
    const bound = instanceId === null ? '' : ` and bound to ${instanceId}`
    return passed(`The signing secret from ${origin} is well-formed${bound}.`)
  } catch (error) {
    return failed(error)
  }
}

/** In the environment, and in the files of other environments that a framework reads. */
function checkOtherSecrets({ signingSecrets, otherSecrets }: Config): Result[] {
  const own = new Set(signingSecrets.map(({ secret }) => secret))
  const isForeign = (secret: string) => !own.has(secret) && /^["'`\s]*whsec_/.test(secret)
  const fromVariables = [...otherSecrets].flatMap(([name, secret]) => (isForeign(secret) ? [name] : []))
  const fromFiles = environmentFiles().flatMap((file) =>
    Object.entries(readVariables(file)).flatMap(([name, value = '']) =>
      isForeign(value) ? [`${name} in ${file}`] : [],
    ),
  )
  return [...fromVariables, ...fromFiles].map((place) => found('secret_elsewhere', place))
}

/** The files that are not read here: `.env.production`, `.env.development.local` … */
function environmentFiles(): string[] {
  return readdirSync('.').filter(
    (name) => /^\.env\.[\w.]+$/.test(name) && name !== '.env.local' && !/example|sample|template/.test(name),
  )
}

function readVariables(file: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(file, 'utf8'))
  } catch {
    return {}
  }
}
