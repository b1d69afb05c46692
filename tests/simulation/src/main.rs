//! Runs seeds, many or one, and says what happened.

#![allow(clippy::print_stdout, reason = "this is what a command is for")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use clap::Parser;
use loomkin_auth::error::Result;
use loomkin_auth_simulation::{Counts, Happening, Run, run};

/// The lifecycle in a world where everything can go wrong. The same seed makes the same run.
#[derive(Parser)]
struct Arguments {
    /// How many seeds to run
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,

    /// The first of them
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    from: u64,

    /// Runs this seed alone
    #[arg(long, conflicts_with_all = ["seeds", "from", "until_breach"])]
    seed: Option<u64>,

    /// Shows everything that a run did, not only the last lines before a breach
    #[arg(long, requires = "seed")]
    trace: bool,

    /// Ends after the first seed with a breach
    #[arg(long)]
    until_breach: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (from, count) = match arguments.seed {
        Some(seed) => (seed, 1),
        None => (arguments.from, arguments.seeds),
    };
    let lines = if arguments.trace { usize::MAX } else { LAST_LINES };
    let began = Instant::now();
    let (next, sum) = (AtomicU64::new(from), Mutex::new(Sum::default()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + count || arguments.until_breach && locked(&sum).breaches > 0 {
                break;
            }
            let run = run(seed, lines);
            locked(&sum).add(run, arguments.trace);
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    let sum = locked(&sum);
    let missing = sum.say(count);
    println!("{} seeds, {} breaches, {:.1} s", sum.seeds, sum.breaches, began.elapsed().as_secs_f64());
    if sum.breaches == 0 && !missing { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn locked(sum: &Mutex<Sum>) -> MutexGuard<'_, Sum> {
    sum.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all runs together came to.
#[derive(Default)]
struct Sum {
    counts: Counts,
    seeds: u64,
    breaches: u64,
}

impl Sum {
    fn add(&mut self, run: Result<Run>, shows_all: bool) {
        self.seeds += 1;
        let run = match run {
            Ok(run) => run,
            Err(error) => {
                self.breaches += 1;
                return println!("the simulation itself failed: {error}");
            }
        };
        self.counts.add(&run.counts);
        if let Some(breach) = &run.breach {
            self.breaches += 1;
            println!("seed {}: {}: {}", run.seed, breach.invariant, breach.what);
        }
        if shows_all || run.breach.is_some() && self.breaches <= MOST_SHOWN {
            run.last_lines.iter().for_each(|line| println!("{line}"));
            println!("           digest {:016x}", run.digest);
        }
    }

    /// Says how often everything happened. What never happens in so many runs is an error of the simulation, which
    /// then proves nothing about it.
    fn say(&self, count: u64) -> bool {
        let mut missing = false;
        for happening in Happening::ALL {
            let times = self.counts.of(*happening);
            println!("{times:>12}  {}", happening.as_str());
            missing |= count >= MANY && self.seeds == count && times == 0;
        }
        if missing {
            println!("something that should happen never did");
        }
        missing
    }
}

/// How many lines of its trace are shown of a run with a breach.
const LAST_LINES: usize = 40;
/// Of how many runs with a breach the trace is shown.
const MOST_SHOWN: u64 = 3;
/// How many runs are enough for everything to happen.
const MANY: u64 = 5_000;
