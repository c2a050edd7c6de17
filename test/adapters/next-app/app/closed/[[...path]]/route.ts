import { dashboardUnderTest } from '../../../sync.ts'

const answer = dashboardUnderTest({ basePath: '/closed' })

export { answer as DELETE, answer as GET, answer as POST }
