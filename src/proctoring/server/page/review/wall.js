import { prepareFilters, showSittings } from "./kept_sittings.js";
import { watchLive } from "./live_wall.js";
import { prepareToken } from "./token_form.js";

prepareFilters();
await prepareToken(() => void showSittings());
void watchLive();
void showSittings();
