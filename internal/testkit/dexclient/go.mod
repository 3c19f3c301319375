module github.com/rollcall-id/rollcall/internal/testkit/dexclient

go 1.26.8

require github.com/dexidp/dex v0.0.0-20260806151424-ab64ed778070
