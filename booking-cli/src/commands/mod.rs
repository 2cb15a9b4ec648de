//! The commands: a module each.

pub(crate) mod backup;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod events;
pub(crate) mod flow;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod lane;
pub(crate) mod migrate;
pub(crate) mod refund;
pub(crate) mod release;
pub(crate) mod seed;

use booking_server::StartError;

use crate::{
    audit,
    console::Console,
    failure::Failure,
    options::{Command, Options, Server, needed_admin_key},
};

/// Does what the arguments ask.
pub(crate) async fn run(options: Options, console: Console) -> Result<(), Failure> {
    let Options { server, command } = options;
    match command {
        Command::Demo(args) => demo::run(&args, console).await,
        Command::Serve(configured) => Ok(configured.run().await?),
        Command::Seed(args) => seed::run(&args, &server, console).await,
        Command::Import(args) => import::run(&args, &server, console).await,
        Command::Flow(args) => flow::run(args, &server, console).await,
        Command::Lane(command) => lane::run(command, &server, console).await,
        Command::Audit => check(&server, console).await,
        Command::History(args) => history::run(args, &server, console).await,
        Command::Events(args) => events::run(args, &server, console).await,
        Command::Release(args) => release::run(args, &server, console).await,
        Command::Refund(args) => refund::run(args, &server, console).await,
        Command::Health => health(&server, console).await,
        Command::Backup(args) => backup::run(&args, console),
        Command::Migrate(args) => migrate::run(&args, console).await,
        Command::Completions(args) => {
            completions::run(args);
            Ok(())
        }
    }
}

/// `booking audit`.
async fn check(server: &Server, console: Console) -> Result<(), Failure> {
    let report = server.client().audit(&needed_admin_key()?).await?;
    console.table(&audit::verdict(&report));
    console.say(&audit::sentence(&report));
    console.document(&report)?;
    if report.clean { Ok(()) } else { Err(Failure::Check(audit::sentence(&report))) }
}

/// `booking health`.
async fn health(server: &Server, console: Console) -> Result<(), Failure> {
    let url = &server.url;
    if !server.client().ready().await {
        let told = format!("{url} is not ready: it does not answer, or its log says which store fails it");
        return Err(Failure::Server(told));
    }
    console.say(&format!("{url} is ready"));
    console.document(&serde_json::json!({ "ready": true }))
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        if error.may_pass() { Self::Server(error.to_string()) } else { Self::Input(error.to_string()) }
    }
}
