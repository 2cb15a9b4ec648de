//! People who buy, for tests of what operators do.

use booking_api::{
    CreateCharge, CreateReservation, CreateUser, PaymentMade, Reservation,
    client::{Client, ClientError},
};
use uuid::Uuid;

use crate::server::{Server, open};

/// A server with one concert of one performance, and its id. Anybody may sign up and charge.
pub(crate) fn sale() -> (Server, Uuid) {
    let server = Server::start(&open());
    let show = seed(&server);
    (server, show)
}

/// Seeds one performance of 50 seats at 50,000 each; its id.
pub(crate) fn seed(server: &Server) -> Uuid {
    let arguments = ["seed", "--concerts", "1", "--performances", "1", "--json"];
    let seeded = server.operator(&arguments).expect(0).json();
    let id = &seeded["concerts"][0]["performances"][0]["performance_id"];
    id.as_str().unwrap().parse().unwrap()
}

/// Somebody who is admitted and has money for a seat.
pub(crate) struct Person<'a> {
    server: &'a Server,
    client: Client,
    pub(crate) id: Uuid,
    queue_token: String,
}

impl<'a> Person<'a> {
    pub(crate) fn enter(server: &'a Server) -> Self {
        let client = Client::new(&server.url);
        let entered = server.wait(async {
            let user = client.create_user(None, &CreateUser::default()).await?;
            let charge = CreateCharge { amount: 50_000, user_id: None };
            client.charge(&user.user_token, "first", &charge).await?;
            let token = client.enter(&user.user_token, None).await?;
            Ok::<_, ClientError>((user.user_id, token.queue_token))
        });
        let (id, queue_token) = entered.unwrap();
        Self { server, client, id, queue_token }
    }

    pub(crate) fn hold(&self, show: Uuid, seat: i64) -> Reservation {
        let wanted = CreateReservation::seats(show, vec![seat]);
        self.server.wait(self.client.reserve(&self.queue_token, None, &wanted)).unwrap()
    }

    pub(crate) fn pay(&self, reservation: &Reservation) -> PaymentMade {
        self.server.wait(self.client.pay(&self.queue_token, reservation.reservation_id)).unwrap()
    }

    /// The reservation as it is now.
    pub(crate) fn look(&self, reservation: &Reservation) -> Reservation {
        self.server.wait(self.client.reservation(&self.queue_token, reservation.reservation_id)).unwrap()
    }
}
