use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::options::Options;

/// `booking completions`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: CompletionsArgs) {
    clap_complete::generate(args.shell, &mut Options::command(), "booking", &mut std::io::stdout());
}
