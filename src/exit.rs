//! How errors reach a person and a script.

use std::io::Write;
use std::process::ExitCode;

use likeness_dataset::DatasetError;
use likeness_diffusion::{DeviceError, Error as ModelError};
use likeness_evaluator::Error as EvaluateError;
use likeness_trainer::TrainError;

/// The run failed.
const FAILED: u8 = 1;
/// The arguments or the config are wrong: nothing was begun.
const USAGE: u8 = 2;
/// Someone interrupted it.
pub const INTERRUPTED: u8 = 130;

/// An argument that makes no sense; the text ends with the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Prints the chain of causes and gives the exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let mut text = format!("error: {error}\n");
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !said.contains(&cause) {
            text.push_str(&format!("  caused by: {cause}\n"));
            said = cause;
        }
    }
    // If stderr is closed there is no one to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(if error.chain().any(is_usage) { USAGE } else { FAILED })
}

/// Whether the person asked for something that cannot be: arguments, config, output folder.
fn is_usage(error: &(dyn std::error::Error + 'static)) -> bool {
    let train = error.downcast_ref::<TrainError>().is_some_and(|error| {
        use TrainError::{Config, Folder, OtherRun, Value};
        matches!(error, Config { .. } | Folder { .. } | OtherRun { .. } | Value { .. })
    });
    let dataset = error.downcast_ref::<DatasetError>().is_some_and(|error| {
        use DatasetError::{NotADataset, Option, OtherDataset, OutIsPhotos};
        matches!(
            error,
            NotADataset { .. } | Option { .. } | OtherDataset { .. } | OutIsPhotos { .. }
        )
    });
    let evaluate = error.downcast_ref::<EvaluateError>().is_some_and(|error| {
        use EvaluateError::{ForeignFolder, NotHeldOut, Plan, Suite, SuiteSyntax, UnknownSuite};
        matches!(
            error,
            ForeignFolder { .. }
                | NotHeldOut(_)
                | Plan { .. }
                | Suite { .. }
                | SuiteSyntax { .. }
                | UnknownSuite(_)
        )
    });
    let model = matches!(error.downcast_ref::<ModelError>(), Some(ModelError::Request(_)));
    let usage = error.is::<Usage>() || error.is::<DeviceError>();
    train || dataset || evaluate || model || usage
}
