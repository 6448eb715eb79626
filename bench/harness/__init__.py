"""./tools/bench: measures Tenon against its peers, alternately, in one run. See bench/README.md."""
