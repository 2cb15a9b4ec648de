mod best;
mod limits;
mod seats;
mod tickets;
mod time;
