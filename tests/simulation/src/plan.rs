//! What a seed decides before its run begins: how many processes, which servers, and which troubles.

use std::time::Duration;

use crate::dice::Dice;
use crate::network::Fate;
use crate::server::{Kind, Settings};

/// The circumstances of one run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The host of each place where a process runs. One that dies is followed by another in its place.
    pub(crate) places: Vec<usize>,
    /// How many callers each process has.
    pub(crate) callers: usize,
    /// Whether the first process of each host renews tokens ahead of their end without any caller.
    pub(crate) renews_ahead: bool,
    /// The server behind each account.
    pub(crate) accounts: Vec<Settings>,
    /// When callers become active, some here, some there.
    pub(crate) rings: Vec<Duration>,
    /// When all troubles end.
    pub(crate) horizon: Duration,
    /// How much later than its own host another sees a change.
    pub(crate) lag: Duration,
    /// What becomes of a request, each with its weight.
    pub(crate) fates: Vec<(Fate, f64)>,
    pub(crate) store: StoreRates,
    pub(crate) process: ProcessRates,
    pub(crate) caller: CallerRates,
    /// What happens by itself, in the order of time.
    pub(crate) weather: Vec<(Duration, Weather)>,
}

/// Probabilities for each call of the store.
#[derive(Debug)]
pub(crate) struct StoreRates {
    pub(crate) fails_before: f64,
    pub(crate) fails_after: f64,
    pub(crate) stalls: f64,
}

/// Probabilities for each call of a port, before and after its effect.
#[derive(Debug)]
pub(crate) struct ProcessRates {
    pub(crate) crashes: f64,
    pub(crate) exits: f64,
    pub(crate) stops: f64,
}

/// Probabilities for each time that a caller becomes active.
#[derive(Debug)]
pub(crate) struct CallerRates {
    pub(crate) goes_away: f64,
    pub(crate) is_rejected: f64,
    pub(crate) disconnects: f64,
    pub(crate) logs_in: f64,
}

/// Something that happens to the whole world, or to the process in one place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Weather {
    ClientRefused { account: usize, lasts: Duration },
    ClockSet { place: usize, ahead_millis: i64 },
    EndedByPerson { account: usize },
    ProcessCrashes { place: usize },
    ProcessExits { place: usize },
    ProcessStops { place: usize, lasts: Duration },
    ServerDown { account: usize, lasts: Duration },
    StoreDown { lasts: Duration },
}

impl Plan {
    pub(crate) fn draw(dice: &Dice) -> Self {
        let hosts = dice.choose(&[1, 1, 2, 3]);
        let places: Vec<usize> =
            (0..hosts).flat_map(|host| (0..dice.number(1..=4)).map(move |_| host)).collect();
        let accounts: Vec<Settings> = (0..dice.number(1..=3)).map(|_| draw_server(dice)).collect();
        let rhythm = accounts[0].lifetime.unwrap_or(Duration::from_secs(300));
        let mut rings = vec![Duration::ZERO];
        for _ in 0..dice.number(6..=16) {
            let latest = rings.last().copied().unwrap_or_default();
            rings.push(latest + rhythm.mul_f64(f64::from(dice.choose(&[1_u32, 5, 9, 10, 11, 14])) / 10.0));
        }
        let horizon = rings.last().copied().unwrap_or_default() + rhythm;
        let weather = draw_weather(dice, horizon, places.len(), accounts.len());
        Self {
            callers: dice.choose(&[1, 1, 2, 3]),
            // It looks at the clock every second, so that long runs with it are dear.
            renews_ahead: dice.chance(if horizon < Duration::from_secs(2_000) { 0.2 } else { 0.01 }),
            lag: dice.millis(0..=if hosts == 1 { 0 } else { 1000 }),
            fates: draw_fates(dice),
            store: StoreRates {
                fails_before: dice.rate(0.3, 0.15),
                fails_after: dice.rate(0.3, 0.15),
                stalls: dice.rate(0.3, 0.05),
            },
            process: ProcessRates {
                crashes: dice.rate(0.4, 0.015),
                exits: dice.rate(0.3, 0.005),
                stops: dice.rate(0.3, 0.006),
            },
            caller: CallerRates {
                goes_away: dice.rate(0.5, 0.4),
                is_rejected: dice.rate(0.3, 0.3),
                disconnects: dice.rate(0.4, 0.1),
                logs_in: dice.rate(0.4, 0.1),
            },
            places,
            accounts,
            rings,
            horizon,
            weather,
        }
    }
}

fn draw_server(dice: &Dice) -> Settings {
    let kinds =
        [Kind::Strict, Kind::Strict, Kind::Grace, Kind::Forgiving, Kind::Constant, Kind::ConstantUnnamed];
    Settings {
        kind: if dice.chance(0.03) { Kind::NoRefresh } else { dice.choose(&kinds) },
        lifetime: dice
            .choose(&[Some(20), Some(60), Some(600), Some(3600), Some(3600), None])
            .map(Duration::from_secs),
        ends_old_access: dice.chance(0.2),
    }
}

fn draw_fates(dice: &Dice) -> Vec<(Fate, f64)> {
    let troubles = [
        Fate::CutOff,
        Fate::Garbage,
        Fate::Late,
        Fate::Lost,
        Fate::Never,
        Fate::Refused,
        Fate::ServerError,
        Fate::ShortLived,
        Fate::Unsent,
    ];
    let mut fates = vec![(Fate::Answered, 1.0)];
    fates.extend(troubles.map(|trouble| (trouble, dice.rate(0.25, 0.4))));
    fates
}

fn draw_weather(dice: &Dice, horizon: Duration, places: usize, accounts: usize) -> Vec<(Duration, Weather)> {
    let mut weather: Vec<_> = (0..dice.number(0..=4))
        .map(|_| {
            let at = horizon.mul_f64(dice.number(0..=1000) as f64 / 1000.0);
            let (place, account) = (dice.index(places), dice.index(accounts));
            let lasts = dice.millis(1_000..=dice.choose(&[5_000, 60_000, 300_000]));
            let what = match dice.index(9) {
                0 => Weather::ClientRefused { account, lasts },
                1 => Weather::EndedByPerson { account },
                2 => Weather::ProcessCrashes { place },
                3 => Weather::ProcessExits { place },
                4 => Weather::ProcessStops { place, lasts: lasts.min(LONGEST_STOP) },
                5 => Weather::ServerDown { account, lasts },
                6 => Weather::StoreDown { lasts: lasts.min(LONGEST_OUTAGE) },
                _ => {
                    let jump = i64::try_from(dice.number(0..=2 * LONGEST_JUMP)).unwrap_or_default();
                    let ahead_millis = (jump - LONGEST_JUMP as i64) / dice.choose(&[1, 10, 100]);
                    Weather::ClockSet { place, ahead_millis }
                }
            };
            (at, what)
        })
        .collect();
    weather.sort_by_key(|(at, _)| *at);
    weather
}

pub(crate) const LONGEST_STOP: Duration = Duration::from_secs(120);
const LONGEST_OUTAGE: Duration = Duration::from_secs(60);
/// Two hours, in milliseconds.
const LONGEST_JUMP: u64 = 2 * 3600 * 1000;
