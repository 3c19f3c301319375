package testkit

// GoldenPath is goldenPath.
var GoldenPath = goldenPath
