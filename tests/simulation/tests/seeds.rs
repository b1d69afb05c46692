//! A few seeds, so that `cargo test` notices a broken promise; `tests/run` runs many more.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use loomkin_auth_simulation::run;

#[test]
fn no_seed_of_a_few_breaks_a_promise() {
    for seed in 1_000_000..1_000_150 {
        let run = run(seed, 40).unwrap();
        if let Some(breach) = &run.breach {
            panic!("seed {seed}: {}: {}\n{}", breach.invariant, breach.what, run.last_lines.join("\n"));
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_run() {
    for seed in 0..25 {
        let (first, second) = (run(seed, usize::MAX).unwrap(), run(seed, usize::MAX).unwrap());
        assert_eq!(first.last_lines, second.last_lines, "seed {seed}");
        assert_eq!(first.digest, second.digest, "seed {seed}");
        assert!(first.last_lines.len() > 50, "seed {seed} does next to nothing");
    }
}

#[test]
fn another_seed_makes_another_run() {
    assert_ne!(run(1, 0).unwrap().digest, run(2, 0).unwrap().digest);
}

#[test]
fn a_trace_holds_no_token() {
    for seed in 0..10 {
        let trace = run(seed, usize::MAX).unwrap().last_lines.join("\n");
        assert!(!trace.contains("access-") && !trace.contains("refresh-"), "seed {seed}");
    }
}
