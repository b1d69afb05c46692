//! `import`: brings in what another tool has kept, and prints nothing of it.

use std::path::Path;

use loomkin_auth::account::Owner;
use loomkin_auth::auth::{Auth, Imported};
use loomkin_auth::lifecycle::ImportOutcome;
use loomkin_auth::store::Replace;

use crate::failure::Failure;
use crate::output::{Output, Style};
use crate::shapes::ImportShape;

pub(super) async fn run(auth: &Auth, path: &Path, replace: bool, output: Output) -> Result<(), Failure> {
    let replace = if replace { Replace::Yes } else { Replace::No };
    let (mut imported, mut failures) = (Vec::new(), Vec::new());
    for result in auth.import(path, &Owner::default(), replace).await? {
        match result {
            Ok(entry) => imported.push(entry),
            Err(error) => failures.push(error),
        }
    }
    if output.json {
        output.json(&imported.iter().map(ImportShape::from).collect::<Vec<_>>())?;
    } else {
        imported.iter().try_for_each(|entry| output.line(sentence(entry, output)))?;
        if imported.iter().any(|entry| entry.outcome != ImportOutcome::Kept) {
            output.hint(format_args!(
                "{} still holds them: once they work here, log out or delete it there, because a login that two \
                 tools refresh ends for both.",
                path.display()
            ));
        }
    }
    let first = failures.first().map(|error| error.code().exit_code());
    for error in failures {
        Failure::Error(error).tell(output);
    }
    first.map_or(Ok(()), |exit_code| Err(Failure::Told(exit_code)))
}

fn sentence(entry: &Imported, output: Output) -> String {
    let (noun, account) = (entry.kind.noun(), &entry.account);
    match entry.outcome {
        ImportOutcome::Kept => {
            format!("{account} has an {noun} already, which stays; --replace overwrites it.")
        }
        ImportOutcome::Replaced => {
            format!("{} the {noun} of {account}.", output.styled(Style::Good, "Replaced"))
        }
        ImportOutcome::Stored => {
            format!("{} the {noun} of {account}, sealed.", output.styled(Style::Good, "Stored"))
        }
    }
}
