//! What every [`TokenStore`] must do, as a suite that a backend runs against itself. Behind the feature `testing`.
//!
//! ```text
//! conformance(|| async { Subject { store: …, other: …, advance: … } }).await;
//! ```
#![allow(clippy::panic, clippy::unwrap_used, reason = "a broken promise of a store is a panic of its test")]

mod credentials;
mod events;
mod expiring;
mod keys;
mod login;
mod pending_logins;
mod refresh;
mod revocations;
mod settings;
mod tombstones;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{
    AttemptId, ClaimOutcome, Columns, Commit, ConnectOutcome, ConnectionId, Deleted, Disconnect, Failure,
    FailureKind, LatestDisconnect, NewConnection, NewSeal, QueueOutcome, Record, Revocation, RevocationTerms,
    SealedTokens, TokenDigest, TokenStore, TombstoneId, WrappedKey,
};
use crate::account::AccountKey;
use crate::clock::Timestamp;

/// An empty store, made for one case.
pub struct Subject {
    /// The store.
    pub store: Arc<dyn TokenStore>,
    /// The same store as another process or host would have it.
    pub other: Arc<dyn TokenStore>,
    /// Moves the clock that its leases run by.
    pub advance: Box<dyn Fn(Duration) + Send + Sync>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Runs every case, each on a store of its own from `make`.
///
/// # Panics
///
/// When the store breaks a promise; the panic's place says which.
pub async fn conformance<F: Future<Output = Subject>>(make: impl Fn() -> F) {
    login::nothing_is_there_at_first(make().await).await;
    login::a_login_reads_back_whole(make().await).await;
    login::a_login_replaces_everything_of_the_earlier_one(make().await).await;
    login::a_list_is_sorted_and_of_one_owner(make().await).await;
    login::a_disconnected_account_is_gone_for_everybody(make().await).await;
    login::disconnecting_touches_no_other_account(make().await).await;

    events::every_change_writes_its_events(make().await).await;
    events::what_did_not_happen_is_not_told(make().await).await;
    events::an_event_has_its_owner_and_its_moment(make().await).await;
    events::a_reader_beside_many_writers_is_told_everything_once(make().await).await;
    events::a_cursor_that_was_cut_off_is_told_so(make().await).await;

    refresh::a_claim_is_granted_once(make().await).await;
    refresh::a_claim_says_how_long_it_still_runs(make().await).await;
    refresh::a_claim_whose_lease_has_ended_is_an_orphan(make().await).await;
    refresh::a_claim_for_another_token_or_connection_is_refused(make().await).await;
    refresh::a_claim_of_one_account_leaves_the_others_free(make().await).await;
    refresh::a_commit_stores_the_answer_and_ends_the_claim(make().await).await;
    refresh::a_late_commit_that_passes_the_fence_counts(make().await).await;
    refresh::a_commit_that_read_an_earlier_revision_is_superseded(make().await).await;
    refresh::a_commit_after_a_newer_login_is_superseded(make().await).await;
    refresh::a_commit_after_a_disconnect_meets_the_tombstone(make().await).await;
    refresh::an_abandoned_claim_is_free_again(make().await).await;
    refresh::only_the_holder_can_abandon(make().await).await;
    refresh::a_failure_is_kept_until_an_answer_or_a_login_comes(make().await).await;
    refresh::of_many_claimers_one_wins(make().await).await;

    expiring::what_ends_first_is_listed_first_whoever_owns_it(make().await).await;
    expiring::a_page_goes_on_where_the_last_one_ended(make().await).await;
    expiring::what_cannot_be_renewed_is_not_listed(make().await).await;
    expiring::only_a_failure_of_the_present_token_counts(make().await).await;
    expiring::a_renewed_connection_is_listed_by_its_new_end(make().await).await;
    tombstones::every_disconnect_leaves_another_tombstone(make().await).await;
    tombstones::a_login_that_was_begun_before_a_disconnect_is_closed(make().await).await;
    tombstones::a_login_that_was_begun_after_a_disconnect_is_stored(make().await).await;
    tombstones::a_login_replaces_a_newer_one_that_nobody_disconnected(make().await).await;
    tombstones::of_a_login_and_a_disconnect_at_once_the_disconnect_wins(make().await).await;

    pending_logins::a_login_that_waits_reads_back_whole(make().await).await;
    pending_logins::a_login_is_closed_once_and_known_as_closed(make().await).await;
    pending_logins::of_many_who_close_a_login_one_did(make().await).await;
    pending_logins::a_login_past_its_deadline_is_remembered_for_a_while(make().await).await;
    pending_logins::of_one_owner_the_spent_go_first_and_then_the_oldest(make().await).await;
    pending_logins::where_all_are_open_another_is_refused_and_none_is_pushed_out(make().await).await;
    pending_logins::many_who_begin_at_once_keep_within_the_bounds(make().await).await;
    pending_logins::logins_are_taken_under_the_newest_key_alone(make().await).await;
    pending_logins::an_open_login_keeps_its_key_and_a_closed_one_keeps_none(make().await).await;

    revocations::a_disconnect_queues_the_whole_connection(make().await).await;
    revocations::a_disconnect_without_a_revocation_queues_nothing(make().await).await;
    revocations::a_revocation_is_taken_once(make().await).await;
    revocations::of_many_takers_one_wins(make().await).await;
    revocations::only_its_taker_can_postpone_or_settle_a_revocation(make().await).await;
    revocations::revocations_are_listed_in_pages_the_earliest_first(make().await).await;
    revocations::a_new_login_cancels_what_could_end_its_grant(make().await).await;
    revocations::a_closed_login_cancels_nothing(make().await).await;
    revocations::what_came_late_replaces_what_is_queued(make().await).await;
    revocations::what_came_late_is_queued_when_the_rest_was_settled(make().await).await;
    revocations::what_came_late_is_not_queued_when_its_grant_is_to_live_on(make().await).await;
    revocations::what_came_late_under_an_older_key_is_not_queued(make().await).await;
    revocations::the_change_mark_moves_with_the_queue(make().await).await;

    settings::the_latest_login_is_active(make().await).await;
    settings::selecting_deletes_nothing(make().await).await;
    settings::what_is_not_connected_cannot_be_selected(make().await).await;
    settings::disconnecting_the_active_account_clears_it_and_no_other(make().await).await;
    settings::every_owner_has_an_active_account_of_their_own(make().await).await;
    settings::the_change_mark_moves_with_every_change(make().await).await;
    settings::the_change_mark_stays_while_nothing_changes(make().await).await;
    settings::the_clock_is_the_stores(make().await).await;

    credentials::a_credential_reads_back_whole(make().await).await;
    credentials::credentials_are_sorted_and_of_one_owner(make().await).await;
    credentials::a_credential_is_replaced_only_when_that_is_said(make().await).await;
    credentials::of_many_who_store_one_wins(make().await).await;
    credentials::a_removed_credential_is_gone_and_the_others_stay(make().await).await;
    credentials::a_connection_and_a_credential_leave_each_other_alone(make().await).await;
    credentials::removing_the_last_of_the_active_account_leaves_none_active(make().await).await;
    credentials::the_change_mark_moves_with_the_credentials(make().await).await;
    credentials::credentials_are_taken_under_the_newest_key_alone(make().await).await;
    credentials::credentials_under_an_older_key_are_listed_and_sealed_anew(make().await).await;

    keys::the_first_key_is_added_once(make().await).await;
    keys::keys_come_back_whole_and_in_order(make().await).await;
    keys::the_key_lock_lets_one_in_at_a_time(make().await).await;
    keys::tokens_are_taken_under_the_newest_key_alone(make().await).await;
    keys::a_commit_without_a_chance_is_told_so_whatever_its_key(make().await).await;
    keys::what_older_keys_sealed_is_listed_page_by_page(make().await).await;
    keys::sealing_anew_changes_nothing_else(make().await).await;
    keys::what_has_changed_meanwhile_is_not_overwritten(make().await).await;
    keys::a_key_goes_when_nothing_names_it_and_the_newest_never(make().await).await;
    keys::a_new_key_leaves_no_writer_behind(make().await).await;
}

fn account(text: &str) -> AccountKey {
    text.parse().unwrap()
}

/// A login of `account`: its connection, token and sealed bytes are told apart by `seed`, and the latter name
/// `key(seed)`.
pub(crate) fn login(account: &AccountKey, seed: u8) -> NewConnection {
    let mut columns = Columns::new(at(seed), at(seed));
    columns.expires_at = Some(at(seed).plus(Duration::from_secs(3600)));
    columns.scopes = vec!["repo".to_owned(), "read:user \"quoted\"".to_owned()];
    columns.account_login = Some(format!("login-{seed}"));
    columns.account_id = Some(format!("id-{seed}"));
    NewConnection {
        account: account.clone(),
        connection: ConnectionId([seed; 16]),
        columns,
        sealed: SealedTokens(vec![seed; 300]),
        refresh_digest: Some(digest(seed)),
        begun_after: None,
    }
}

/// The answer to the first refresh of `login(account, seed)`, by which `next` becomes the current token.
fn answer(account: &AccountKey, seed: u8, next: u8) -> Commit {
    let mut columns = login(account, seed).columns;
    columns.issued_at = at(next);
    columns.expires_at = None;
    Commit {
        account: account.clone(),
        connection: ConnectionId([seed; 16]),
        revision: 0,
        columns,
        sealed: SealedTokens(vec![next; 200]),
        refresh_digest: digest(next),
        updated_at: at(next),
    }
}

/// What `login` sealed, under `key(next)`.
fn reseal(login: &NewConnection, next: u8) -> NewSeal {
    NewSeal {
        account: login.account.clone(),
        connection: login.connection,
        old: login.sealed.clone(),
        new: SealedTokens(vec![next; 300]),
    }
}

pub(crate) fn key(seed: u8) -> WrappedKey {
    WrappedKey {
        id: [seed; 8],
        source: format!("env:KEY_{seed}"),
        salt: [seed; 32],
        wrapped: vec![seed; 73],
        created_at: at(seed),
    }
}

fn failure(seed: u8, kind: FailureKind) -> Failure {
    Failure { kind, presented: digest(seed), in_a_row: 3, at: at(seed), next_attempt_at: Some(at(seed + 1)) }
}

fn digest(seed: u8) -> TokenDigest {
    TokenDigest([seed; 32])
}

fn at(seed: u8) -> Timestamp {
    Timestamp::from_unix_millis(1_800_000_000_000 + i64::from(seed))
}

/// Asks `store` for the claim of `login(account, seed)`, by the attempt `attempt`.
async fn claim(store: &dyn TokenStore, account: &AccountKey, seed: u8, attempt: u8) -> ClaimOutcome {
    store
        .claim(account, ConnectionId([seed; 16]), digest(seed), AttemptId([attempt; 16]), LEASE)
        .await
        .unwrap()
}

/// Disconnects `account`, and queues its revocation.
async fn disconnect(store: &dyn TokenStore, account: &AccountKey) -> Option<Deleted> {
    store.disconnect(account, end(0, Some(TERMS))).await.unwrap()
}

/// A disconnect that leaves the tombstone `seed`.
fn end(seed: u8, revocation: Option<RevocationTerms>) -> Disconnect {
    Disconnect { tombstone: TombstoneId([seed; 16]), revocation }
}

/// The record of `account`, which must be there.
async fn loaded(store: &dyn TokenStore, account: &AccountKey) -> Record {
    store.load(account).await.unwrap().unwrap()
}

const LEASE: Duration = Duration::from_secs(60);
const TERMS: RevocationTerms = RevocationTerms { lease: LEASE, lasts: Duration::from_secs(86_400) };
