"""One candidate's sitting: clocks, mailboxes, lifetimes, and the pool that analyses many fairly."""
