/** `clerk-sync completion`: prints a script that teaches a shell this command line. */

import { Argument, type Command } from 'commander'
import { SCRIPTS, SHELLS, type Shell } from '../completion/scripts.ts'
import { placesOf } from '../completion/tree.ts'
import { withExamples } from '../options.ts'
import { Output } from '../output.ts'

export function register(command: Command): void {
  withExamples(command, [
    ['source <(clerk-sync completion bash)', 'in ~/.bashrc'],
    ['source <(clerk-sync completion zsh)', 'in ~/.zshrc, after compinit'],
    ['clerk-sync completion fish | source', 'in ~/.config/fish/config.fish'],
  ])
  command
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action((shell: Shell, _, self: Command) => {
      const { stdout } = new Output(self.optsWithGlobals())
      stdout.exact(SCRIPTS[shell](placesOf(self.parent as Command)))
    })
}
