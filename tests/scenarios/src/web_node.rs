//! Requests of a visitor's that are each answered by a process of its own.

use loomkin_auth::protocol::state::StateDigest;
use serde_json::Value;
use url::Url;

use crate::command::{Running, hide_answer};
use crate::home::Home;
use crate::patience::within;
use crate::visitor::{Visit, Visitor};

impl Visitor {
    /// As [`App::begin_hosted`](crate::App::begin_hosted), by a process that is killed once it has answered.
    ///
    /// # Panics
    ///
    /// When it has no login to answer with.
    pub async fn begin_at_killed_process(&mut self, home: &Home, account: &str) -> Visit {
        let node = home.call_web_node(&["begin", self.owner().as_str(), account]).start();
        let answer = node.answer().await;
        node.kill().await;
        let text =
            |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{}", answer["error"])).to_owned();
        let visit = Visit::new(text("id").parse::<StateDigest>().unwrap(), text("url"), text("redirect_uri"));
        self.take_cookie(&visit, &text("cookie"));
        visit
    }

    /// A process that will answer the callback at `address`, once it is [told to](Running::go_and_finish).
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn callback_process(&self, home: &Home, address: &Url) -> Running {
        hide_answer(home.canary(), address);
        let route: Vec<_> = address.path_segments().unwrap().collect();
        let ["auth", provider, "callback"] = route[..] else { panic!("no callback") };
        let node = home.call_web_node(&["finish", self.owner().as_str(), provider]).start();
        within("a node", node.stdout().says("ready\n")).await;
        node
    }

    /// What a process of its own answers to the callback at `address`: the login, or the code of an error.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    pub async fn finish_by_process(&self, home: &Home, address: &Url) -> String {
        let mut node = self.callback_process(home, address).await;
        node.go_and_finish(self, address).await;
        node.end_of_callback().await
    }

    /// As [`App::cancel_hosted`](crate::App::cancel_hosted), by a process of its own.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    pub async fn cancel_by_process(&self, home: &Home, visit: &Visit) -> String {
        let node = home.call_web_node(&["cancel", self.owner().as_str(), &visit.id.to_string()]).start();
        let answer = node.answer().await;
        node.ended().await.exits(0);
        answer["was_open"].to_string()
    }
}

impl Running {
    /// Gives it the callback at `address`, as `visitor`'s browser asks for it.
    pub async fn go_and_finish(&mut self, visitor: &Visitor, address: &Url) {
        self.write_line(address.query().unwrap_or_default()).await;
        self.write_line(&visitor.cookies_for(address)).await;
    }

    /// Who is connected now, or the code of an error.
    ///
    /// # Panics
    ///
    /// When it does not say.
    pub async fn end_of_callback(self) -> String {
        let answer = self.answer().await;
        self.ended().await.exits(0);
        answer["account_login"].as_str().or(answer["error"].as_str()).unwrap().to_owned()
    }

    /// What a node answers.
    async fn answer(&self) -> Value {
        let said = self.stdout();
        within("a node's answer", said.until(|text| text.lines().nth(1).is_some() && text.ends_with('\n')))
            .await;
        serde_json::from_str(said.text().lines().nth(1).unwrap_or_default()).unwrap()
    }
}
