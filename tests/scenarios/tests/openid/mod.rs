//! Scenarios that are the same against every real OpenID provider.

pub(crate) mod device;
pub(crate) mod hosted;
pub(crate) mod killed;
pub(crate) mod life;
pub(crate) mod races;
pub(crate) mod redirects;

/// How the account of the login `ada` is called.
const ADA: &str = "ada@example.test";

/// Makes a test against `$peer` of every scenario here; `$needs` says what has to be there for that.
macro_rules! every_scenario {
    ($peer:ty, $needs:literal) => {
        scenarios! { $peer, $needs,
            device::a_person_who_aborts_is_believed,
            device::the_command_logs_in_by_the_address_with_the_code_and_refreshes_later,
            hosted::a_person_who_refuses_is_believed,
            hosted::one_node_begins_a_login_and_another_finishes_it,
            killed::a_token_that_was_spent_for_a_killed_process_is_interrupted_and_not_lost,
            life::a_client_presents_its_secret_in_the_header_or_in_the_body,
            life::a_connection_lives_from_login_to_disconnect,
            life::a_second_account_is_refused_where_another_was_asked_for,
            life::an_expired_token_is_refreshed_with_rotation,
            life::selecting_none_is_no_active_provider,
            life::what_the_user_revokes_keeps_its_tokens_and_heals_by_the_next_login,
            races::eight_processes_make_one_refresh_in_each_of_fifty_rounds,
            races::eight_processes_that_all_wait_make_one_request,
            redirects::a_callback_with_an_invalid_state_is_told_so_and_the_login_still_succeeds,
            redirects::a_person_who_says_no_is_believed,
            redirects::the_address_that_a_person_ended_at_can_be_pasted,
        }
    };
}

macro_rules! scenarios {
    ($peer:ty, $needs:literal, $($place:ident::$name:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = $needs]
            async fn $name() {
                openid::$place::$name(loomkin_auth_scenarios::Oidc::<$peer>::start().await).await;
            }
        )+
    };
}
