"""The live page: `flashsale monitor` shows one sale, and lets a visitor stop parts of it."""
