// ---- a customer whom the shop has just named ---------------------------------------------------------------------

// bridge may read the shop's answer a moment later than the browser gets it, and until then say what it knew before.
async function learnWho(headers, before) {
  let told;
  for (const rest of [0, 1000, 4000]) {
    await pause(rest);
    told = await bridge.who(headers);
    if (told.email && told.seen !== before) { break; }
  }
  return told;
}
