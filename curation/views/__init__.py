"""Pages. A view authorises, validates, calls one stage function or one page builder, and renders."""
