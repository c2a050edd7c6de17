/** CommonJS under `module: node20`, which may require an ES module. */
import { sampleEvent } from 'clerk-sync/testing'

export const id: string = sampleEvent('user.created').data.id
