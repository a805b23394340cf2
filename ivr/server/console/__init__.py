"""The console: what the server is doing and has done, for its operators. `docs/console.md` shows it.

Rule 1: whatever it is asked, nothing of a call, a flow or a file changes. It writes which voicemails are done.
Rule 2: what callers said, and what a platform sent, is text (`ivr.server.html`); nothing private gets here at all, and
what a sensitive state recorded is left out even so (LANGUAGE C12).

    console_routes (addresses, login) > call_pages, flow_pages, figures_page > call_details, figures (pure)
                                      > search_pages > searching, found_calls, calls_csv
                                      > voicemail_pages > voicemail_list
"""
