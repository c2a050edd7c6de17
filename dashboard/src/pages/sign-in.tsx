/** The sign-in page, and its placeholder while the session is unknown. */

import { useEffect, useState } from 'preact/hooks'
import type { Problem, SignInProblem } from '../api.ts'
import { problemOf } from '../api.ts'
import { Button } from '../parts/button.tsx'
import { ProblemLine, ProblemNotice } from '../parts/notice.tsx'
import { openSession, signIn } from '../session.ts'

const RETRY_MS = 3_000

export function SignIn({ problem }: { readonly problem: Problem | SignInProblem }) {
  return (
    <main class="sign-in">
      {!('signIn' in problem) ? (
        <Unavailable problem={problem} />
      ) : problem.signIn === 'token' ? (
        <TokenForm />
      ) : (
        <External problem={problem} />
      )}
    </main>
  )
}

/** The page retries until the server answers. */
function Unavailable({ problem }: { readonly problem: Problem }) {
  useEffect(() => {
    const timer = setInterval(() => void openSession(), RETRY_MS)
    return () => clearInterval(timer)
  }, [])
  return (
    <>
      <ProblemNotice problem={problem} retry={openSession} />
      <p class="quiet">Retrying every three seconds.</p>
    </>
  )
}

function External({ problem }: { readonly problem: SignInProblem }) {
  return (
    <div class="card sign-in-card">
      <h1>Sign in</h1>
      <p>{problem.message}</p>
      {problem.signInUrl && isWebAddress(problem.signInUrl) ? (
        <a class="button main" href={problem.signInUrl}>
          Continue
        </a>
      ) : (
        <p>{problem.remedy}</p>
      )}
    </div>
  )
}

function isWebAddress(url: string): boolean {
  return /^https?:$/.test(new URL(url, document.baseURI).protocol)
}

function TokenForm() {
  const [problem, setProblem] = useState<Problem>()
  const submit = async (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault()
    const token = String(new FormData(event.currentTarget).get('token') ?? '').trim()
    await signIn(token).catch((error) => setProblem(problemOf(error)))
  }
  return (
    <form class="card sign-in-card" onSubmit={(event) => void submit(event)}>
      <h1>Sign in to clerk-sync</h1>
      <label>
        Dashboard token
        <input name="token" type="password" autocomplete="current-password" required spellcheck={false} />
      </label>
      <ProblemLine problem={problem} />
      <Button type="submit" kind="main">
        Sign in
      </Button>
      <p class="quiet">
        It is what the server was given as <code>CLERK_SYNC_DASHBOARD_TOKEN</code>, or what it printed when it
        started.
      </p>
    </form>
  )
}
