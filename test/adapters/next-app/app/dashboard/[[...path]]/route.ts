import { dashboardUnderTest } from '../../../sync.ts'

const answer = dashboardUnderTest({
  authorize: (request) => {
    const name = request.headers.get('x-person')
    return name === null ? null : { name, role: 'operator' }
  },
})

export { answer as DELETE, answer as GET, answer as POST }
